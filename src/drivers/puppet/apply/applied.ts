import type { AppliedResource, Finding, ResourceChange } from '../../../domain/plans/plan.ts'
import { standsInTheWay } from '../plan/directories.ts'
import { byReference, type Catalog } from '../source/catalog.ts'
import { resourceOf } from '../plan/findings.ts'
import type { LogEntry, Report, ResourceStatus } from '../tool/report.ts'
import { placeOf } from '../tool/source-error.ts'

interface Applied {
  changes: readonly ResourceChange[]
  catalog: Catalog
  prefix: string
  redact: (text: string) => string
  path: (path: string) => string
}

/** What became of each planned resource, and of others that failed or were changed besides. */
export function appliedResources(
  { changes, catalog, prefix, redact, path }: Applied,
  report: Report | null,
  logs: readonly LogEntry[],
): { resources: AppliedResource[]; findings: Finding[] } {
  const statuses = report?.resource_statuses ?? {}
  const planned = new Map(changes.map((change) => [change.address, change]))
  // As the plan wrote them: a title may hold a secret.
  const addressOf = (reference: string): string => redact(`${prefix}${reference}`)
  const references = new Map(Object.keys(statuses).map((reference) => [addressOf(reference), reference]))
  const resources = changes.map((change): AppliedResource => {
    const reference = references.get(change.address) ?? change.address.slice(prefix.length)
    return {
      address: change.address,
      actions: change.actions,
      ...verdict(statuses[reference], reference, logs, redact),
    }
  })
  const findings: Finding[] = []
  const declared = byReference(catalog)
  for (const [reference, status] of Object.entries(statuses)) {
    const address = addressOf(reference)
    if (planned.has(address) || /^(Class|Stage|Whit|Schedule|Filebucket)$/.test(status.resource_type)) continue
    if (standsInTheWay(status, declared)) {
      resources.push({
        address,
        actions: ['delete'],
        status: 'failed',
        message: 'Puppet left the directory: say `force => true`',
      })
    } else if (isFailed(status)) {
      resources.push({ address, actions: ['update'], ...verdict(status, reference, logs, redact) })
    } else if (status.changed && !status.events.every(({ name }) => name === 'restarted')) {
      findings.push({
        severity: 'info',
        code: 'beyond_plan',
        message: `${address} was changed too: the dry run could not foresee it`,
      })
    }
  }
  for (const entry of logs) {
    if (entry.source === 'Facter' || !/^(err|crit|alert|emerg)$/.test(entry.level)) continue
    const resource = resourceOf(entry.source)
    const { message, file, line } = placeOf(entry, path)
    findings.push({
      severity: 'error',
      message: redact(`${resource === null ? '' : `${prefix}${resource}: `}${message}`),
      ...(file !== undefined && { path: file }),
      ...(file !== undefined && line !== undefined && { line }),
    })
  }
  return { resources, findings }
}

const isFailed = (status: ResourceStatus): boolean =>
  status.failed === true ||
  status.failed_to_restart === true ||
  status.events.some((event) => event.status === 'failure')

function verdict(
  status: ResourceStatus | undefined,
  reference: string,
  logs: readonly LogEntry[],
  redact: (text: string) => string,
): Pick<AppliedResource, 'status' | 'message'> {
  if (status === undefined) return { status: 'skipped', message: 'Puppet did not come to it' }
  if (isFailed(status)) {
    const said = logs.find(
      ({ level, source }) => /^(err|crit)/.test(level) && resourceOf(source) === reference,
    )?.message
    const message =
      said ?? status.events.find((event) => event.status === 'failure')?.message ?? 'Puppet says no reason'
    return { status: 'failed', message: redact(message) }
  }
  if (status.skipped) {
    const cause = logs.find(
      ({ message, source }) => /^Dependency .* has failures/.test(message) && resourceOf(source) === reference,
    )
    return {
      status: 'skipped',
      message: cause?.message ?? 'Puppet skipped it: a dependency failed, or its schedule or tags exclude it',
    }
  }
  return { status: 'done' }
}

/** The same from the lines on the console, where the run ended before its report. */
export function linesOf(
  lines: readonly string[],
  changes: readonly ResourceChange[],
  prefix: string,
  redact: (text: string) => string,
): AppliedResource[] {
  const done = new Set<string>()
  const failed = new Map<string, string>()
  for (const line of lines) {
    const found =
      /^(Notice|Error): (\/Stage\[.*?\]): (.*)$/.exec(line) ?? /^(Notice|Error): (\/Stage\[.*\]\S*): (.*)$/.exec(line)
    const resource = found === null ? null : resourceOf(found[2])
    if (found === null || resource === null) continue
    if (found[1] === 'Error') failed.set(redact(resource), found[3]!)
    else done.add(redact(resource))
  }
  return changes.map(({ address, actions }) => {
    const resource = address.slice(prefix.length)
    const message = failed.get(resource)
    if (message !== undefined) return { address, actions, status: 'failed', message: redact(message) }
    if (done.has(resource)) return { address, actions, status: 'done' }
    return { address, actions, status: 'skipped', message: 'the run ended before Puppet said that it was done' }
  })
}
