import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { TrueupError } from '../../../lib/errors/error.ts'
import type { Json } from '../../../lib/json.ts'
import type { ProcessResult } from '../../../lib/process/supervise.ts'
import type { DriverContext } from '../../driver.ts'
import { toolFailed } from '../../tools/verdict.ts'
import type { AnsibleConfig } from '../config.ts'
import {
  type MissedEvent,
  type NowhereEvent,
  type FilesEvent,
  parseEvent,
  type PromptEvent,
  type ResultEvent,
  type StatsEvent,
  type TaskEvent,
} from '../tool/events.ts'
import type { IgnoreOrders } from './ignore.ts'
import type { Session } from '../session.ts'
import { sourceError } from '../tool/source-error.ts'

/** The largest single event: a diff of two files, escaped. Ansible itself leaves out what is larger than 100 KB. */
const MAX_EVENT_BYTES = 64 * 1024 * 1024

export interface Played {
  tasks: TaskEvent[]
  results: ResultEvent[]
  /** Meant and not reached; told at the end of a check. */
  missed: MissedEvent[]
  /** Questions that nobody was there to answer. */
  prompts: PromptEvent[]
  /** Plays without a host. */
  nowhere: NowhereEvent[]
  /** Files by host; told at the end of a check. */
  files: FilesEvent[]
  /** Hosts that `limit` takes away from the plays. */
  leftOut: Set<string>
  /** Events that were told; they are numbered, so that one that is missing shows. */
  events: number
  hole: boolean
  /** Absent where the run ended before its end. */
  stats: StatsEvent | null
  process: ProcessResult
}

/**
 * Runs the playbook once and gathers what it says. SOURCE_INVALID, with the place, where Ansible could not even begin;
 * TOOL_FAILED for any other end without results. Tasks that failed and hosts that did not answer are results.
 */
export async function play(
  context: DriverContext<AnsibleConfig>,
  session: Session,
  { check, ignore }: { check: boolean; ignore: IgnoreOrders },
): Promise<Played> {
  const orders = join(context.scratch, `orders-${check ? 'check' : 'apply'}.json`)
  const readOnly = context.config.readOnlyTasks
  await writeFile(orders, JSON.stringify({ check, readOnly, ...ignore }), { mode: 0o600 })
  const played: Omit<Played, 'process'> = {
    tasks: [],
    results: [],
    missed: [],
    prompts: [],
    nowhere: [],
    files: [],
    leftOut: new Set(),
    events: 0,
    hole: false,
    stats: null,
  }
  const process = await context.run({
    argv: [...session.argv, ...(check ? ['--check'] : [])],
    cwd: context.directory,
    env: { ...session.env, TRUEUP_ORDERS: orders },
    quiet: true,
    graceMs: check ? 5_000 : 20_000,
    maxOutputBytes: 1024 * 1024,
    maxLineBytes: MAX_EVENT_BYTES,
    onLine: (line, stream) => note(context, played, line, stream),
  })
  return { ...played, process }
}

function note(
  context: DriverContext<unknown>,
  played: Omit<Played, 'process'>,
  line: string,
  stream: 'stdout' | 'stderr',
): void {
  const event = stream === 'stdout' ? parseEvent(line) : null
  if (event === null) {
    if (line.trim() !== '') context.log(line)
    return
  }
  played.events += 1
  played.hole ||= event.number !== played.events
  if (event.event === 'task') {
    played.tasks.push(event)
    context.log(`${event.handler ? 'handler' : 'task'} ${event.key}`)
  } else if (event.event === 'result') {
    played.results.push(event)
    const line = progress(event)
    if (line !== null) context.log(line)
  } else if (event.event === 'stats') played.stats = event
  else if (event.event === 'prompt') played.prompts.push(event)
  else if (event.event === 'missed') played.missed.push(event)
  else if (event.event === 'files') played.files.push(event)
  else if (event.event === 'play') {
    for (const host of event.leftOut) played.leftOut.add(host)
    context.log(`play ${event.name}`)
  } else {
    played.nowhere.push(event)
    context.log(`no host of the inventory matches play ${event.name}`)
  }
}

/** One line for what a person wants to see go by; that something was as it should be is said by silence. */
function progress({ host, status, changed, subject, message, unseen }: ResultEvent): string | null {
  const what = subject === null ? '' : ` ${subject.replaceAll('\n', ' ')}`
  const said = message === null ? '' : `: ${message.split('\n', 1)[0]}`
  if (status === 'failed' || status === 'unreachable') return `  ${host} ${status}${what}${said}`
  if (changed) return `  ${host} changed${what}`
  return unseen ? `  ${host} not checked${what}${said}` : null
}

/** Throws where the run has no results to show: the source is broken, or Ansible is. */
export function checkPlayed(doing: string, context: DriverContext<unknown>, played: Played): void {
  const { stats, results, process } = played
  if (process.canceled) throw new TrueupError('CANCELED', { doing, why: 'the run was stopped' })
  if (process.timedOut) throw new TrueupError('TIMED_OUT', { doing, why: `it took ${process.durationMs} ms` })
  if (results.length === 0 && process.exitCode !== 0) {
    throw sourceError(doing, context, process.stderr) ?? toolFailed(doing, { ...process, stdout: '' })
  }
  // rc 0 ok, 2 a host failed, 4 a host did not answer; everything else ends a run in its midst.
  if (
    stats === null ||
    (process.exitCode !== 0 && process.exitCode !== 2 && process.exitCode !== 4 && process.exitCode !== 6)
  ) {
    throw sourceError(doing, context, process.stderr) ?? toolFailed(doing, { ...process, stdout: '' })
  }
  // An error outside of any task, such as a role that is not there when a task includes it, is in no event and no number.
  const counted = Object.values(stats.hosts).some(({ failures = 0, unreachable = 0 }) => failures + unreachable > 0)
  if (process.exitCode !== 0 && !counted)
    throw sourceError(doing, context, process.stderr) ?? toolFailed(doing, { ...process, stdout: '' })
  const hole = holeIn(played)
  if (hole !== null) {
    throw new TrueupError('TOOL_OUTPUT', {
      doing,
      why: `what Ansible told of this run is not complete: ${hole}`,
      next: 'Read the log of the run. A callback plugin of another Ansible may be in the way; a look with holes counts as none.',
    })
  }
  if (Object.keys(stats.hosts).length === 0) {
    throw new TrueupError('SOURCE_INVALID', {
      doing,
      why: 'no play matches a host of the inventory, so nothing was looked at',
      next: 'Compare `hosts:` of the plays with the inventory, and `limit` of the stack.',
    })
  }
}

/** SOURCE_INVALID where a play asks for what nobody has given: Ansible would go on with nothing in its place. */
export function checkAsked(doing: string, { prompts }: Played): void {
  const open = [...new Set(prompts.filter(({ hasDefault }) => !hasDefault).map(({ name }) => name))]
  if (open.length === 0) return
  throw new TrueupError('SOURCE_INVALID', {
    doing,
    why: `vars_prompt asks for ${open.join(', ')}, and there is nobody to ask`,
    next: 'Give each of them as an input of the stack, or a default in the playbook.',
  })
}

/** Callbacks that throw are swallowed by Ansible, with a warning on stderr and exit code 0. */
const CALLBACK_FAILED = /^.*(?:Failure using method \(|Callback dispatch .* failed|callback plugin.*exception).*$/im

/** Why the events cannot be all that happened; null where they can. */
function holeIn({ stats, process, hole, results }: Played): string | null {
  const failed = CALLBACK_FAILED.exec(process.stderr)?.[0]
  if (failed !== undefined) return failed.trim()
  if (hole) return 'an event is missing in its stream'
  const broken = new Set(results.flatMap(({ host, status }) => (status === 'failed' ? [host] : [])))
  for (const [host, counts] of Object.entries(stats?.hosts ?? {})) {
    const { ok = 0, skipped = 0, failures = 0, unreachable = 0, rescued = 0 } = counts
    const untold = ok + skipped + failures + unreachable + rescued - (stats?.counted[host] ?? 0)
    // A failure that no callback tells is told as one (`unexplained`).
    if (untold > 0 && (failures === 0 || broken.has(host))) return `${host} has ${untold} more results than were told`
  }
  return null
}

/** Hosts that did not answer, with the reason, and all others that the plays are for. */
export function reach({ results, stats }: Played): { unreachable: Map<string, string>; answered: string[] } {
  const unreachable = new Map<string, string>()
  for (const { host, status, message } of results)
    if (status === 'unreachable') unreachable.set(host, explainUnreachable(message ?? 'it does not answer'))
  const meant = stats?.meant ?? []
  const hosts = new Set([...meant, ...Object.keys(stats?.hosts ?? {}), ...results.map(({ host }) => host)])
  return { unreachable, answered: [...hosts].filter((host) => !unreachable.has(host)) }
}

function explainUnreachable(message: string): string {
  const text = message.replace(/^Failed to connect to the host via ssh: /, '').trim()
  return /host key verification failed/i.test(text)
    ? `its host key is not known: add it to the stack's knownHosts, after comparing it with the one of the host itself (${text})`
    : text
}

/** TARGET_UNREACHABLE where none of the hosts answered. */
export function checkReached(doing: string, played: Played): void {
  const { unreachable, answered } = reach(played)
  if (unreachable.size === 0 || answered.length > 0) return
  const shown = [...unreachable].slice(0, 5).map(([host, why]) => `${host}: ${why}`)
  throw new TrueupError('TARGET_UNREACHABLE', {
    doing,
    why: `none of ${unreachable.size} hosts can be reached; ${shown.join('; ')}`,
    details: { hosts: [...unreachable.keys()] },
  })
}

export const outputsOf = ({ stats }: Played): { [name: string]: Json } => stats?.custom ?? {}
