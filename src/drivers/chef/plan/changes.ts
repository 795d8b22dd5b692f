import { compileIgnore } from '../../../domain/plans/ignore.ts'
import type { AttributeChange, Finding, ResourceChange, Unchecked } from '../../../domain/plans/plan.ts'
import type { Json } from '../../../lib/json.ts'
import type { DriverContext } from '../../driver.ts'
import { addressPrefix, type Host } from '../../hosts/host.ts'
import type { HostPlan } from '../../hosts/outcomes.ts'
import { redactionFor, secretInputs, type Redaction } from '../../values/redaction.ts'
import { attributesOf, type Told } from './attributes.ts'
import { at, placeOfEntry, type RepositoryPath } from '../tool/place.ts'
import type { ChefReport, Entry } from '../tool/report.ts'

/** What the why-run says would change, what it could not say, and what a person should know of it. */
export function planOf(
  context: DriverContext<unknown>,
  host: Host,
  report: ChefReport,
  repositoryPath: RepositoryPath,
): HostPlan {
  const redaction = redactionFor(context, secretInputs(context))
  const prefix = addressPrefix(host)
  const ignored = compileIgnore(context.ignore)
  const changes = new Map<string, ResourceChange>()
  const unchecked = new Map<string, Omit<Unchecked, 'address'>>()
  const checked = new Set<string>()
  const findings: Finding[] = []
  const assumed = new Map(report.assumptions.map(({ resource, message }) => [resource, message]))

  for (const [index, entry] of report.resources.entries()) {
    const address = `${prefix}${entry.resource}`
    if (entry.status === 'skipped' && entry.why === 'action :nothing') continue
    // What is notified follows from another change, which is planned.
    if (entry.notified_by !== null && entry.notified_by !== undefined && entry.status !== 'failed') {
      if (entry.status === 'updated') {
        findings.push({
          severity: 'info',
          code: 'refresh',
          message: `${address} would run, notified by ${entry.notified_by}`,
        })
      }
      continue
    }
    const why = uncheckedBecause(entry)
    if (why !== null) {
      const failed = entry.status === 'failed' && !entry.ignored
      unchecked.set(address, { why: redaction.text(why), ...(failed && { failed }) })
      if (entry.status === 'failed') {
        findings.push({
          severity: 'warning',
          code: 'not_looked_at',
          message: redaction.text(`${address}: ${entry.error ?? 'it failed'}`),
          ...at(placeOfEntry(entry, repositoryPath)),
        })
      }
      continue
    }
    checked.add(address)
    // A custom resource is changed where one of its own resources is: those are shown.
    if (entry.status !== 'updated' || (entry.updates.length === 0 && hasInner(report.resources, index))) continue
    const told = attributesOf(entry)
    const writable = new Set(ignorable(entry))
    const attributes = told.attributes
      .filter(({ path }) => told.action !== 'update' || !writable.has(path) || !ignored(address, path))
      .map((each) => shown(context, redaction, address, each))
    if (attributes.length === 0) continue
    findings.push(
      ...told.attributes
        .filter(({ path }) => told.action === 'update' && ignored(address, path) && !writable.has(path))
        .map(
          ({ path }): Finding => ({
            severity: 'warning',
            code: 'ignore_not_written',
            message: `${address}: "${path}" is ignored in the plan but would be written`,
          }),
        ),
    )
    changes.set(
      address,
      joined(changes.get(address), { address, type: entry.type, cause: 'config', actions: [told.action], attributes }),
    )
  }
  for (const [resource, message] of assumed) {
    findings.push({ severity: 'info', code: 'assumed', message: redaction.text(`${prefix}${resource}: ${message}`) })
  }
  const on = host.name === '' ? '' : `${host.name}: `
  if (report.gems.length > 0) {
    const message = `${on}the run would first install gems that the cookbooks' metadata names: ${report.gems.join(', ')}`
    findings.push({ severity: 'info', code: 'gems', message })
  }
  for (const trouble of report.troubles) {
    findings.push({ severity: 'warning', code: 'witness', message: redaction.text(`${on}${trouble}`) })
  }
  const guarded = [...new Set(report.resources.filter(({ guards }) => guards).map(({ resource }) => resource))]
  if (guarded.length > 0) {
    const message = `${on}Chef runs not_if and only_if also in a why-run; they did for ${guarded.join(', ')}`
    findings.push({ severity: 'info', code: 'guards_ran', message: redaction.text(message) })
  }
  // Of two actions of a resource one may be looked at and the other not.
  for (const address of unchecked.keys()) checked.delete(address)
  return {
    changes: [...changes.values()],
    coverage: { checked: checked.size, unchecked: [...unchecked].map(([address, told]) => ({ address, ...told })) },
    findings,
  }
}

/** Commands and blocks of Ruby: a why-run says of each that it would run, always. */
const COMMANDS =
  /^(execute|script|bash|sh|csh|ksh|perl|python|ruby|powershell_script|batch|ruby_block|http_request|log)$/

function uncheckedBecause(entry: Entry): string | null {
  if (entry.bypassed) return 'its provider does not support why-run'
  if (entry.status === 'failed') return `the why-run could not look at it yet: ${firstLine(entry.error)}`
  if (entry.status === 'unprocessed') return 'the why-run did not come to it'
  if (COMMANDS.test(entry.type) && entry.status === 'updated' && !entry.guarded) {
    return 'a command without creates, not_if or only_if runs with every apply: Chef cannot say whether it is needed'
  }
  return null
}

const firstLine = (text: string | null | undefined): string => (text ?? 'it failed').split('\n')[0]!.slice(0, 500)

function hasInner(entries: readonly Entry[], index: number): boolean {
  const next = entries[index + 1]
  return next !== undefined && next.depth > entries[index]!.depth
}

/** Properties that can be taken away from a resource before Chef looks at it, so that they are not written. */
export function ignorable({ type, action }: Pick<Entry, 'type' | 'action'>): string[] {
  if (action !== 'create') return []
  if (type === 'file') return ['content', 'mode', 'owner', 'group']
  return /^(template|cookbook_file|remote_file|directory|remote_directory)$/.test(type)
    ? ['mode', 'owner', 'group']
    : []
}

/** A resource that two recipes declare, or that has two actions, is one. */
function joined(before: ResourceChange | undefined, next: ResourceChange): ResourceChange {
  if (before === undefined) return next
  const paths = new Set(next.attributes.map(({ path }) => path))
  return {
    ...next,
    actions: before.actions,
    attributes: [...before.attributes.filter(({ path }) => !paths.has(path)), ...next.attributes],
  }
}

/** A value that the host has redacted comes as a salted hash, and leaves the worker as a keyed one. */
function shown(context: DriverContext<unknown>, redaction: Redaction, address: string, told: Told): AttributeChange {
  const { path } = told
  const secret = told.sensitive || isRedacted(told.before) || isRedacted(told.after)
  const value = (given: Json | undefined, side: string): ReturnType<Redaction['value']> => {
    if (!secret) return redaction.value(given ?? null, false)
    if (isRedacted(given)) return { value: context.hash((given as { redacted: string }).redacted), sensitive: true }
    return {
      value: given === null || given === undefined ? null : context.hash({ address, path, side }),
      sensitive: true,
    }
  }
  const before = value(told.before, 'before')
  const after = value(told.after, 'after')
  const sensitive = secret || before.sensitive || after.sensitive
  const seen = sensitive && !secret ? redaction.value.told?.(told.before ?? null, told.after ?? null, false) : undefined
  return {
    path,
    ...(seen !== undefined && { shown: seen }),
    ...(before.value !== null && { before: before.value }),
    after: after.value,
    ...(sensitive && { sensitive }),
  }
}

const isRedacted = (value: Json | undefined): boolean =>
  value !== null && typeof value === 'object' && !Array.isArray(value) && 'redacted' in value

/** Which properties of which resources the ignore rules take away, for the next run. */
export function ignoredProperties(
  context: DriverContext<unknown>,
  host: Host,
  report: ChefReport,
): { [resource: string]: string[] } {
  if (context.ignore.length === 0) return {}
  const ignored = compileIgnore(context.ignore)
  const prefix = addressPrefix(host)
  const found: { [resource: string]: string[] } = {}
  for (const entry of report.resources) {
    const names = ignorable(entry).filter((name) => ignored(`${prefix}${entry.resource}`, name))
    // A file that is not there yet is made as declared: nobody else has a hand on it.
    if (names.length > 0 && entry.before !== null && attributesOf(entry).action !== 'create')
      found[entry.resource] = names
  }
  return found
}
