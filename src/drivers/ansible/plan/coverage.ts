import type { Coverage, Finding, Unchecked } from '../../../domain/plans/plan.ts'
import type { Redaction } from '../../values/redaction.ts'
import { addressOf } from './changes.ts'
import type { ResultEvent } from '../tool/events.ts'
import { type Played, reach } from './play.ts'

/** What check mode really looked at, and what it could not, each with the reason. */
export function coverageOf(played: Played, redaction: Redaction): Coverage {
  const checked = new Set<string>()
  const unchecked = new Map<string, Omit<Unchecked, 'address'>>()
  const { unreachable } = reach(played)
  for (const [host, why] of unreachable)
    unchecked.set(host, { why: redaction.text(`unreachable: ${why}`), unreachable: true })
  for (const result of played.results) {
    const address = addressOf(result, redaction)
    const why = whyUnchecked(result)
    if (why !== null) unchecked.set(address, { why: redaction.text(why) })
    else if (result.status === 'ok' && !result.control) checked.add(address)
  }
  for (const host of droppedHosts(played))
    if (!unchecked.has(host)) unchecked.set(host, { why: 'its later tasks were not looked at: a task failed' })
  for (const address of unchecked.keys()) checked.delete(address)
  return {
    checked: checked.size,
    unchecked: [...unchecked].map(([address, reason]) => ({ address, ...reason })),
  }
}

function whyUnchecked({ status, unseen, readOnly, message, follows, ignored }: ResultEvent): string | null {
  if (status === 'failed' && !ignored) return `failed in check mode: ${firstLine(message)}`
  // A command that only reads manages nothing.
  if (unseen && !readOnly) return firstLine(message) || 'check mode cannot run it'
  return follows === null ? null : `its condition needs the result of "${follows}", which check mode did not run`
}

const firstLine = (message: string | null): string => message?.split('\n', 1)[0] ?? ''

/** Hosts on which Ansible stopped: after a failure, it leaves out what comes later. */
function droppedHosts({ stats }: Played): string[] {
  return Object.entries(stats?.hosts ?? {})
    .filter(([, { failures = 0 }]) => failures > 0)
    .map(([host]) => host)
}

/** What a person should know of this check. */
export function findingsOf(
  played: Played,
  redaction: Redaction,
  place: (path: string | null) => Partial<Finding>,
): Finding[] {
  const { unreachable } = reach(played)
  return [
    ...[...unreachable].map(
      ([host, why]): Finding => ({
        severity: 'warning',
        code: 'host_unreachable',
        message: redaction.text(`${host} did not answer, so nothing is known of it: ${why}`),
      }),
    ),
    ...played.tasks
      .filter(({ checkOff }) => checkOff !== null)
      .map(
        ({ key, path, checkOff }): Finding => ({
          ...(checkOff === 'held'
            ? {
                severity: 'warning',
                code: 'check_mode_off',
                message: redaction.text(
                  `"${key}" says check_mode: false, which would change hosts from a preview; it was checked like any other task. If it only reads, list it under readOnlyTasks`,
                ),
              }
            : {
                severity: 'info',
                code: 'check_mode_ran',
                message: redaction.text(`"${key}" says check_mode: false and was run, as readOnlyTasks allows`),
              }),
          ...place(path),
        }),
      ),
    ...failures(played, redaction, place),
    ...unexplained(played),
  ]
}

/** Ansible 2.14 counts a handler whose module does not exist as failed on a host, and tells no callback. */
function unexplained(played: Played): Finding[] {
  const told = new Set(played.results.flatMap(({ host, status }) => (status === 'failed' ? [host] : [])))
  return droppedHosts(played)
    .filter((host) => !told.has(host))
    .map((host) => ({
      severity: 'error',
      code: 'check_failed',
      message: `${host}: a task failed there without a reason that Ansible tells; the log of the run may have it`,
    }))
}

/**
 * A failure in check mode is explained by what check mode left out where an earlier task on that host would have changed
 * something or could not be run; otherwise the apply would fail there too.
 */
function failures(
  { results }: Played,
  redaction: Redaction,
  place: (path: string | null) => Partial<Finding>,
): Finding[] {
  const pending = new Set<string>()
  const findings: Finding[] = []
  for (const result of results) {
    const { host, status, changed, unseen, ignored, message, path } = result
    if (status === 'failed' && !ignored) {
      const explained = pending.has(host)
      const tail = explained ? '; an earlier task would change this host, so the apply may well pass' : ''
      findings.push({
        severity: explained ? 'warning' : 'error',
        code: 'check_failed',
        message: redaction.text(
          `${addressOf(result, redaction)} fails in check mode: ${message ?? 'no reason given'}${tail}`,
        ),
        ...place(path),
      })
    }
    if (changed || unseen || status === 'failed') pending.add(host)
  }
  return findings
}
