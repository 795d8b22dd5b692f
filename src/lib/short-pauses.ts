import { setFlagsFromString } from 'node:v8'

/** For a process that stays and is started from here: what `keepPausesShort` does, from its first line on. */
export const SHORT_PAUSES = ['--max-semi-space-size=2']

/**
 * For processes that stay. V8 lets its young generation grow to 67 MB while a program is loaded, keeps that, and then stops for
 * up to 50 ms whenever much of it is still in use, as when thousands of workers connect (Node 24.21). Kept at the few megabytes
 * that it has now, such a pause takes a few milliseconds, and the rest is never touched. V8 reads this flag whenever it would
 * grow, so that it counts at once; the flag for the largest size is read before any program runs.
 */
export function keepPausesShort(): void {
  setFlagsFromString('--semi-space-growth-factor=1')
}
