import type { AppliedResource, Finding, ResourceChange } from '../../../domain/plans/plan.ts'
import { at, placeOfEntry, type RepositoryPath } from '../tool/place.ts'
import type { ChefReport, Entry } from '../tool/report.ts'

export interface Told {
  redact: (text: string) => string
  repositoryPath: RepositoryPath
}

/** What became of each planned resource, and of others that failed or were changed besides. */
export function appliedResources(
  report: ChefReport,
  changes: readonly ResourceChange[],
  prefix: string,
  { redact, repositoryPath }: Told,
): { resources: AppliedResource[]; findings: Finding[] } {
  // What was only looked at, before a `:before` notification, comes again.
  const real = report.resources.filter(({ why_run }) => !why_run)
  const entries = Map.groupBy(real, ({ resource }) => `${prefix}${resource}`)
  const resources = changes.map(({ address, actions }): AppliedResource => {
    const its = entries.get(address) ?? []
    const failed = its.find(({ status }) => status === 'failed')
    if (failed !== undefined) {
      return { address, actions, status: 'failed', message: redact(failed.error ?? 'Chef says no reason') }
    }
    const done = its.some(({ status, why }) => isOver(status) && why !== 'action :nothing')
    if (done) return { address, actions, status: 'done' }
    return { address, actions, status: 'skipped', message: 'Chef did not come to it' }
  })
  const planned = new Set(changes.map(({ address }) => address))
  const findings: Finding[] = []
  for (const [address, its] of entries) {
    const failed = its.find(({ status }) => status === 'failed')
    if (failed !== undefined) {
      findings.push({
        severity: failed.ignored ? 'warning' : 'error',
        message: redact(`${address}: ${failed.error ?? 'it failed'}`),
        ...at(placeOfEntry(failed, repositoryPath)),
      })
      if (!planned.has(address)) {
        resources.push({
          address,
          actions: ['update'],
          status: 'failed',
          message: redact(failed.error ?? 'Chef says no reason'),
        })
      }
    } else if (!planned.has(address) && its.some(({ status, depth }) => status === 'updated' && depth === 0)) {
      findings.push({ severity: 'info', code: 'beyond_plan', message: `${address} was run or changed too` })
    }
  }
  return { resources, findings }
}

const isOver = (status: Entry['status']): boolean =>
  status === 'updated' || status === 'up_to_date' || status === 'skipped'

/** The same from the lines of the doc formatter, where the run ended before its report could be read. */
export function fromLines(
  lines: readonly string[],
  changes: readonly ResourceChange[],
  prefix: string,
): AppliedResource[] {
  const begun: string[] = []
  for (const line of lines) {
    const found = /^\s*\* ([\w-]+\[.*\]) action \w+/.exec(line)
    if (found !== null) begun.push(`${prefix}${found[1]}`)
  }
  // The last one may be half done: it does not count.
  const done = new Set(begun.slice(0, -1))
  return changes.map(({ address, actions }) =>
    done.has(address)
      ? { address, actions, status: 'done' }
      : { address, actions, status: 'skipped', message: 'the run ended before Chef said that it was done' },
  )
}
