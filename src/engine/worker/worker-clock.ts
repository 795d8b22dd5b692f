import { CLOCK_LIMIT_MS, clockSkewText } from '../../domain/wire/request-proof.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import type { KnownWorker } from '../../store/workers/known.ts'
import { getWorker, patchWorker } from '../../store/workers/workers.ts'
import type { EngineParts } from '../parts.ts'

/** Of a clock that goes on being wrong by the same, nothing is written. */
const CHANGED_MS = 2_000

/** Warns of a worker's clock that is ahead of ours or behind. CLOCK_SKEWED beyond the limit. */
export function measureClock(
  { store, log }: Pick<EngineParts, 'store' | 'log'>,
  workerId: string,
  clock: number,
): void {
  const skewMs = clock - store.clock.now()
  const told = clockSkewText(skewMs)
  if (Math.abs(skewMs) > CLOCK_LIMIT_MS)
    throw new TrueupError('CLOCK_SKEWED', {
      doing: 'letting a worker in',
      why: `its clock is ${told} of the server's, and ${CLOCK_LIMIT_MS / 60_000} min is the limit`,
      details: { skewMs },
    })
  if (told) log.warn({ workerId, skewMs }, `the clock of a worker is ${told}`)
}

/** By how much a clock is ahead: as it was known to be, where that is about the same. */
export const sameSkew = (before: unknown, skewMs: number): number =>
  typeof before === 'number' && Math.abs(skewMs - before) < CHANGED_MS ? before : skewMs

/** Notes a clock that was set, or runs away, while the worker stays connected. */
export async function noteClock(
  { store }: Pick<EngineParts, 'store'>,
  worker: Pick<KnownWorker, 'id' | 'clockSkewMs'>,
  clock: number,
): Promise<void> {
  const clockSkewMs = clock - store.clock.now()
  if (Math.abs(clockSkewMs - worker.clockSkewMs) < CHANGED_MS) return
  await store.transaction(async (tx) => {
    const current = await getWorker(tx, worker.id)
    if (current) await patchWorker(tx, worker.id, { info: { ...current.info, clockSkewMs } })
  })
}
