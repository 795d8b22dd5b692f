import { setImmediate as nextTurn } from 'node:timers/promises'
import { TrueupError } from '../../../lib/errors/error.ts'

/** File calls here are synchronous: six times less CPU for 10,000 small files than promises; the worker's heartbeats must get through all the same. */
const SLICE_MS = 10

/**
 * For loops over many files: the returned function gives way to the event loop every few milliseconds and throws CANCELED
 * once the run is.
 */
export function slices(signal: AbortSignal, doing: string): () => Promise<void> | void {
  let end = performance.now() + SLICE_MS
  return () => {
    if (performance.now() < end) return
    return nextTurn().then(() => {
      if (signal.aborted) throw new TrueupError('CANCELED', { doing, why: 'the run was canceled' })
      end = performance.now() + SLICE_MS
    })
  }
}
