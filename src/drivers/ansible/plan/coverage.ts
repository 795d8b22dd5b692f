import type { Coverage, Finding, Unchecked } from '../../../domain/plans/plan.ts'
import type { Redaction } from '../../values/redaction.ts'
import { addressOf } from './changes.ts'
import type { MissedEvent, ResultEvent } from '../tool/events.ts'
import { type Played, reach } from './play.ts'

/** What check mode really looked at, and what it was meant to look at and did not, each with the reason. */
export function coverageOf(played: Played, redaction: Redaction): Coverage {
  const checked = new Set<string>()
  const unchecked = new Map<string, Omit<Unchecked, 'address'>>()
  const add = (address: string, entry: Omit<Unchecked, 'address'>): void => {
    const known = unchecked.get(address)
    // Of several reasons for one thing an error counts most.
    if (known === undefined || (entry.failed && !known.failed)) unchecked.set(address, entry)
  }
  const { unreachable } = reach(played)
  for (const [host, why] of unreachable) add(host, { why: redaction.text(`unreachable: ${why}`), unreachable: true })
  for (const result of played.results) {
    const found = uncheckedBecause(result)
    if (found !== null)
      add(addressOf(found.whole ? { ...result, subject: null } : result, redaction), toldBy(found, redaction))
    else if (result.status === 'ok' && !result.control) checked.add(addressOf(result, redaction))
  }
  for (const entry of missedOf(played, redaction)) add(entry.address, entry.told)
  for (const host of unexplainedHosts(played))
    add(host, { why: 'a task failed there, and Ansible does not tell which', failed: true })
  for (const play of played.nowhere) {
    if (play.known) continue
    const why = redaction.text(`play "${play.name}": no host of the inventory matches "${play.pattern}"`)
    add('*', { why, count: Math.max(play.tasks, 1) })
  }
  const exact = new Set(unchecked.keys())
  for (const address of exact) checked.delete(address)
  return { checked: checked.size, unchecked: [...unchecked].map(([address, told]) => ({ address, ...told })) }
}

interface Because {
  why: string
  failed?: boolean
  /** Of the whole task: which items its loop has is not known either. */
  whole?: boolean
}

const toldBy = ({ why, failed }: Because, redaction: Redaction): Omit<Unchecked, 'address'> => ({
  why: redaction.text(why),
  ...(failed && { failed }),
})

/** A task that ran in check mode on a host without being looked at; null where it was, or manages nothing. */
function uncheckedBecause(result: ResultEvent): Because | null {
  const { status, control, unseen, message, ignored, rescued, afterPending, follows, followsIn, action } = result
  if (status === 'unreachable') return null
  if (status === 'failed') {
    const excused = ignored || rescued || ((afterPending || follows !== null) && !isDefinite(message))
    return { why: `failed in check mode: ${firstLine(message)}`, ...(!excused && { failed: true }) }
  }
  if (follows !== null && (!control || INCLUDES.has(action))) {
    const what =
      followsIn === 'condition' ? 'its condition needs' : followsIn === 'loop' ? 'its loop needs' : 'it is built from'
    return {
      why: `${what} the result of "${follows}", which check mode did not give`,
      whole: followsIn !== 'arguments',
    }
  }
  return unseen ? { why: firstLine(message) || 'check mode cannot run it' } : null
}

const INCLUDES = new Set(['include', 'include_role', 'include_tasks'])
/** A plugin that this Ansible does not have will not be there for the apply either. */
const MISSING_PLUGIN =
  /Could not load "[^"]*"|(?:lookup|filter|test) plugin (?:\(.*?\)|'[^']*'|"[^"]*") (?:was )?not found|[Nn]o (?:filter|test) named|couldn't resolve module\/action/
const isDefinite = (message: string | null): boolean => MISSING_PLUGIN.test(message ?? '')

const firstLine = (message: string | null): string => message?.split('\n', 1)[0] ?? ''

/** What was not reached; a host of which nothing was is named once, with the number. */
function missedOf(played: Played, redaction: Redaction): { address: string; told: Omit<Unchecked, 'address'> }[] {
  const reached = new Set(played.results.map(({ host }) => host))
  const whole = (event: MissedEvent): boolean => event.host === null || event.key === null
  const lost = played.missed.filter((event) => event.host !== null && !reached.has(event.host))
  const kept = played.missed.filter((event) => !lost.includes(event))
  return [
    ...kept.map((event) => ({
      address: redaction.text(whole(event) ? (event.host ?? '*') : `${event.host}/${event.key}`),
      told: { why: redaction.text(event.why), ...(event.count > 1 && { count: event.count }) },
    })),
    ...[...Map.groupBy(lost, ({ host }) => host as string)].map(([host, events]) => ({
      address: host,
      told: {
        why: redaction.text(events[0]!.why),
        ...(events.length > 1 && { count: events.length }),
      },
    })),
  ]
}

/** Hosts on which Ansible counts a failure that no event tells. */
function unexplainedHosts({ results, stats }: Played): string[] {
  const told = new Set(results.flatMap(({ host, status }) => (status === 'failed' ? [host] : [])))
  return Object.entries(stats?.hosts ?? {})
    .filter(([host, { failures = 0 }]) => failures > 0 && !told.has(host))
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
    ...nowhere(played, redaction),
    ...warnings(played, redaction),
    ...failures(played, redaction, place),
    ...unexplained(played),
  ]
}

/** Ansible 2.14 counts a handler whose module does not exist as failed on a host, and tells no callback. */
const unexplained = (played: Played): Finding[] =>
  unexplainedHosts(played).map((host) => ({
    severity: 'error',
    code: 'check_failed',
    message: `${host}: a task failed there without a reason that Ansible tells; the log of the run may have it`,
  }))

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
      const explained = pending.has(host) && !isDefinite(message)
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

/** Plays that found no host, and hosts that `limit` takes away from a play. */
function nowhere({ nowhere: plays, leftOut }: Played, redaction: Redaction): Finding[] {
  const shown = [...leftOut].slice(0, MAX_NAMED).join(', ')
  const more = leftOut.size > MAX_NAMED ? ` and ${leftOut.size - MAX_NAMED} more` : ''
  return [
    ...plays.map(
      ({ name, pattern }): Finding => ({
        severity: 'warning',
        code: 'no_hosts',
        message: redaction.text(`play "${name}" does nothing: no host matches "${pattern}"`),
      }),
    ),
    ...(leftOut.size === 0
      ? []
      : [
          {
            severity: 'warning' as const,
            code: 'limited',
            message: redaction.text(
              `limit leaves out ${leftOut.size} ${leftOut.size === 1 ? 'host' : 'hosts'} of the plays: ${shown}${more}`,
            ),
          },
        ]),
  ]
}

const MAX_NAMED = 10
const MAX_WARNINGS = 20

/** What Ansible and modules warn of: on stderr, since 2.19 also in the results. Each once. */
function warnings({ results, process }: Played, redaction: Redaction): Finding[] {
  const told = new Map<string, Finding>()
  const add = (text: string, deprecation: boolean): void => {
    const message = redaction.text(text.replaceAll(/\s+/g, ' ').trim())
    if (message === '' || told.size >= MAX_WARNINGS) return
    const severity = deprecation ? 'info' : 'warning'
    told.set(message, { severity, code: deprecation ? 'deprecation' : 'ansible_warning', message })
  }
  for (const result of results) for (const { text, deprecation } of result.warnings) add(text, deprecation)
  for (const [, kind, text = ''] of process.stderr.matchAll(STDERR_WARNING)) add(text, kind !== undefined)
  return [...told.values()]
}

/** `[WARNING]: text` and `[DEPRECATION WARNING]: text`, which go on over lines until the next. */
const STDERR_WARNING = /^\[(DEPRECATION )?WARNING\]: ([^]*?)(?=\n\[|\n\s*\n|$(?![^]))/gm
