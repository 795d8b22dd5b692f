import { setTimeout as sleep } from 'node:timers/promises'

/** Nothing came of it in time: something is stuck. */
export class Stuck extends Error {
  override name = 'Stuck'
}

/** Polls until the answer is true; `Stuck` with what was waited for after `ms`. */
export async function until(
  what: string,
  done: () => boolean | Promise<boolean>,
  ms = 180_000,
  detail?: () => string | Promise<string>,
): Promise<void> {
  const deadline = performance.now() + ms
  while (!(await done())) {
    if (performance.now() > deadline)
      throw new Stuck(`not within ${ms / 1000} s: ${what}${detail ? `; ${await detail()}` : ''}`)
    await sleep(40)
  }
}
