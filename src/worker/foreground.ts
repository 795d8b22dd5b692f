import { startTracing } from '../lib/tracing/start.ts'
import { onStopRequests } from '../lib/process/stop-signals.ts'
import type { OwnLog } from './logging.ts'
import type { RunnerOptions } from './options.ts'
import { startRunner, type Way } from './runner.ts'

/**
 * Runs until it is told to stop: the first SIGTERM or SIGINT drains it, the second stops its tools; with `withParent` so
 * does the end of standard input. Throws when it cannot start.
 */
export async function runInForeground(options: RunnerOptions, { log, recent }: OwnLog, way?: Way): Promise<void> {
  // Readable in /proc by whoever has this user; it is used up, but a tidy worker does not leave it there.
  delete process.env.TRUEUP_ENROLMENT_TOKEN
  const starting = new AbortController()
  let requests = 0
  let stop = (_drainMs: number): void => starting.abort()
  const requestStop = () => stop(requests++ === 0 ? options.drainMs : 0)
  onStopRequests(requestStop)
  if (options.withParent)
    process.stdin
      .resume()
      .once('close', requestStop)
      .on('error', () => {})

  try {
    const tracing = await startTracing(`trueup-${way?.kind ?? 'runner'}`, log)
    const runner = await startRunner(options, log, { signal: starting.signal, way, recent, tracing })
    stop = (drainMs) => void runner.stop(drainMs)
    if (starting.signal.aborted) stop(0)
    await runner.finished
    await tracing.close()
  } catch (thrown) {
    if (!starting.signal.aborted) throw thrown
  } finally {
    process.stdin.destroy()
  }
}
