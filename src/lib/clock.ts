/** Time as the program sees it: integer milliseconds since the epoch. Injected, so that tests can move it. */
export interface Clock {
  now(): number
}

export const systemClock: Clock = { now: () => Date.now() }
