const FIRST_DELAY_MS = 2_000
const FACTOR = 3
const MAX_DELAY_MS = 300_000
const MIN_STABLE_MS = 10 * 60_000
const STABLE_DELAYS = 10

/** Kept per stack in `healBackoffJson`. Times in milliseconds. */
export interface HealState {
  /** Heals since the last reset. */
  attempts: number
  lastAt: number | null
  /** Since when checks have found no drift; null after a heal until a check says so. */
  stableSince: number | null
}

export const FIRST_HEAL: HealState = { attempts: 0, lastAt: null, stableSince: null }

/**
 * When the drift that was found at `now` may be healed, and the state to keep once that heal is started. The first heal
 * is at once, then each waits three times longer after the one before: 2 s, 6 s, 18 s, 54 s, 162 s, 300 s, 300 s…
 * A stack without drift for ten times its current delay, and at least ten minutes, starts anew.
 */
export function nextHeal(state: HealState, now: number): { at: number; state: HealState } {
  const attempts = hasSettled(state, now) ? 0 : state.attempts
  const delay = delayAfter(attempts)
  // A clock that was set back must not put the heal further away than one whole delay.
  const at = state.lastAt === null ? now : Math.min(Math.max(now, state.lastAt + delay), now + delay)
  return { at, state: { attempts: attempts + 1, lastAt: at, stableSince: null } }
}

/** To be called when a check found no drift. */
export function markStable(state: HealState, now: number): HealState {
  return state.stableSince === null ? { ...state, stableSince: now } : state
}

function hasSettled(state: HealState, now: number): boolean {
  if (state.stableSince === null) return false
  return now - state.stableSince >= Math.max(MIN_STABLE_MS, STABLE_DELAYS * delayAfter(state.attempts))
}

/** Milliseconds to wait after that many heals. */
export function delayAfter(attempts: number): number {
  return attempts === 0 ? 0 : Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * FACTOR ** (attempts - 1))
}
