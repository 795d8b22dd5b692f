import { spawn, type ChildProcess } from 'node:child_process'
import { outputCapture } from './capture.ts'
import { explainBadFormat, startError } from './start-error.ts'
import { endGroup, endLeftovers, signalGroup } from './group.ts'
import { lineSplitter } from './lines.ts'
import type { ProcessResult, ProcessSpec } from './supervise.ts'

const DEFAULT_GRACE_MS = 10_000
const DEFAULT_OUTPUT_BYTES = 16 * 1024 * 1024
const DEFAULT_LINE_BYTES = 64 * 1024
/** How long output is still read after the group is over; only a daemon that left the group can hold a pipe then. */
const DRAIN_MS = 1_000
/** A timer of Node that is to wait longer ends at once (https://nodejs.org/api/timers.html#settimeoutcallback-delay-args). */
const LONGEST_TIMER_MS = 2 ** 31 - 1

/**
 * Runs one program in a process group of its own and waits until the whole group is over.
 *
 * Any exit code, signal, time-out or cancellation is a result; only a program that could not be started throws:
 * TOOL_MISSING (not found, not executable, wrong format), TOO_LARGE (arguments and environment), UNAVAILABLE (no memory
 * or processes left). An error of `onLine` stops the group and is thrown at its end. Members of the group that outlive the
 * program are ended. A daemon that made a session of its own (`setsid`) is beyond reach: it is left alone, and it cannot hold
 * the result back.
 */
export async function runProcess(spec: ProcessSpec): Promise<ProcessResult> {
  if (spec.signal?.aborted || spec.kill?.aborted) return notStarted()
  const startedAt = performance.now()
  const child = await start(spec)
  spec.onStart?.(child.pid)
  const output = readOutput(child, spec)
  const signals = [spec.signal, output.failed.signal].filter((signal) => signal !== undefined)
  const ending = endOnDemand(child, { ...spec, signal: AbortSignal.any(signals) })
  giveInput(child, spec.input)

  const { exitCode, signal } = await exitOf(child)
  await ending.afterExit()
  child.recordEnd()
  await output.drained()
  if (output.failed.signal.aborted) throw output.failed.signal.reason

  const { timedOut, canceled } = ending
  const durationMs = performance.now() - startedAt
  if (!timedOut && !canceled) explainBadFormat(spec, exitCode, durationMs)
  return { exitCode, signal, ...output.kept(), timedOut, canceled, durationMs: Math.round(durationMs) }
}

const notStarted = (): ProcessResult => ({
  exitCode: null,
  signal: null,
  stdout: '',
  stderr: '',
  truncatedBytes: 0,
  truncatedStdoutBytes: 0,
  timedOut: false,
  canceled: true,
  durationMs: 0,
})

interface Started {
  process: ChildProcess
  pid: number
  recordEnd(): void
}

/** The process id is known synchronously, so the record is on disk before anything else happens here. */
async function start(spec: ProcessSpec): Promise<Started> {
  const [program = '', ...args] = spec.argv
  const record = spec.registry?.open(spec.argv.slice(0, 2).join(' '))
  try {
    const child = spawn(program, args, {
      cwd: spec.cwd,
      env: { ...spec.env, ...record?.env },
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe'],
      windowsHide: true,
    })
    if (child.pid === undefined) throw await errorEvent(child)
    record?.started(child.pid)
    return { process: child, pid: child.pid, recordEnd: () => record?.ended() }
  } catch (thrown) {
    record?.ended()
    throw startError(spec, thrown)
  }
}

const errorEvent = (child: ChildProcess): Promise<Error> => new Promise((resolve) => child.once('error', resolve))

const exitOf = ({ process: child }: Started): Promise<{ exitCode: number | null; signal: NodeJS.Signals | null }> =>
  new Promise((resolve) => child.once('exit', (exitCode, signal) => resolve({ exitCode, signal })))

/** A program that does not read its input is not an error: EPIPE is expected. */
function giveInput({ process: child }: Started, input: string | Buffer | undefined): void {
  child.stdin?.on('error', () => {})
  child.stdin?.end(input)
}

interface Output {
  /** Aborted with what `onLine` threw. */
  failed: AbortController
  /** Resolves when both pipes are at their end, or `DRAIN_MS` later. */
  drained(): Promise<void>
  kept(): Pick<ProcessResult, 'stdout' | 'stderr' | 'truncatedBytes' | 'truncatedStdoutBytes'>
}

function readOutput({ process: child }: Started, spec: ProcessSpec): Output {
  const limit = spec.maxOutputBytes ?? DEFAULT_OUTPUT_BYTES
  const failed = new AbortController()
  const onLine = (line: string, name: 'stdout' | 'stderr'): void => {
    if (failed.signal.aborted) return
    try {
      spec.onLine?.(line, name)
    } catch (thrown) {
      failed.abort(thrown)
    }
  }
  const streams = (['stdout', 'stderr'] as const).map((name) => {
    const capture = outputCapture(limit)
    const lines = spec.onLine && lineSplitter(spec.maxLineBytes ?? DEFAULT_LINE_BYTES, (line) => onLine(line, name))
    const pipe = child[name]
    pipe?.on('data', (chunk: Buffer) => {
      capture.add(chunk)
      lines?.add(chunk)
    })
    pipe?.on('error', () => {})
    return { pipe, capture, lines }
  })
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()))
  return {
    failed,
    async drained() {
      await Promise.race([closed, afterLoopTurns(DRAIN_MS)])
      for (const { pipe, lines } of streams) {
        pipe?.destroy()
        lines?.end()
      }
    },
    kept: () => ({
      stdout: streams[0]!.capture.text(),
      stderr: streams[1]!.capture.text(),
      truncatedBytes: streams[0]!.capture.dropped() + streams[1]!.capture.dropped(),
      truncatedStdoutBytes: streams[0]!.capture.dropped(),
    }),
  }
}

/** Time plus two turns of the event loop: a loop that was busy for longer must still get to read what is there. */
function afterLoopTurns(ms: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => setImmediate(() => setImmediate(resolve)), ms)
    timer.unref()
  })
}

interface Ending {
  timedOut: boolean
  canceled: boolean
  /** Call once the program itself is over: sees to the rest of its group. */
  afterExit(): Promise<void>
}

/**
 * SIGINT goes out once, to the whole group as a terminal would send it: Terraform takes a second one as "stop without
 * saving". SIGKILL follows after the grace. When the program dies before the rest of its group does, the rest keeps the
 * same grace: a wrapper that dies at once must not cost the tool below it its state file.
 */
function endOnDemand({ process: child, pid }: Started, spec: ProcessSpec): Ending {
  const graceMs = spec.graceMs ?? DEFAULT_GRACE_MS
  let killAt: number | undefined
  let killTimer: NodeJS.Timeout | undefined
  const ending: Ending = { timedOut: false, canceled: false, afterExit }
  const killNow = () => {
    killAt = performance.now()
    signalGroup(pid, 'SIGKILL')
  }
  const interrupt = () => {
    if (killAt !== undefined) return
    killAt = performance.now() + graceMs
    signalGroup(pid, 'SIGINT')
    killTimer = setTimeout(killNow, graceMs)
  }
  const onAbort = () => {
    ending.canceled ||= !ending.timedOut
    interrupt()
  }
  const onKill = () => {
    ending.canceled ||= !ending.timedOut
    killNow()
  }
  const timer =
    spec.timeoutMs === undefined
      ? undefined
      : setTimeout(
          () => {
            ending.timedOut = !ending.canceled
            interrupt()
          },
          Math.min(spec.timeoutMs, LONGEST_TIMER_MS),
        )
  spec.signal?.addEventListener('abort', onAbort, { once: true })
  spec.kill?.addEventListener('abort', onKill, { once: true })
  // An abort between the check at the start and here.
  if (spec.signal?.aborted) onAbort()
  if (spec.kill?.aborted) onKill()
  child.once('exit', () => clearTimeout(timer))

  async function afterExit(): Promise<void> {
    if (killAt === undefined) await endLeftovers(pid)
    else await endGroup(pid, () => killAt ?? 0)
    clearTimeout(killTimer)
    spec.signal?.removeEventListener('abort', onAbort)
    spec.kill?.removeEventListener('abort', onKill)
  }
  return ending
}
