import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FIRST_HEAL, markStable, nextHeal, type HealState } from './backoff.ts'

const START = 1_000_000
const MINUTE = 60_000

/** Heals again and again, each time drift is found right after the heal before. */
function waits(count: number): number[] {
  let state = FIRST_HEAL
  let now = START
  return Array.from({ length: count }, () => {
    const next = nextHeal(state, now)
    const waited = next.at - now
    state = next.state
    now = next.at
    return waited
  })
}

describe('healing', () => {
  it('is at once the first time, then waits three times longer each time, up to five minutes', () => {
    expect(waits(9)).toEqual([0, 2_000, 6_000, 18_000, 54_000, 162_000, 300_000, 300_000, 300_000])
  })

  it('waits only for what is left of the delay', () => {
    const { state } = nextHeal(FIRST_HEAL, START)
    expect(nextHeal(state, START + 500).at).toBe(START + 2_000)
    expect(nextHeal(state, START + 5_000).at).toBe(START + 5_000)
  })

  it('starts anew after ten minutes without drift, or ten delays where that is longer', () => {
    const after = (attempts: number, stableMs: number) =>
      nextHeal({ attempts, lastAt: START, stableSince: START }, START + stableMs).state.attempts
    expect(after(2, 10 * MINUTE - 1)).toBe(3)
    expect(after(2, 10 * MINUTE)).toBe(1)
    expect(after(9, 50 * MINUTE - 1)).toBe(10)
    expect(after(9, 50 * MINUTE)).toBe(1)
  })

  it('does not take silence for stability', () => {
    expect(nextHeal({ attempts: 3, lastAt: START, stableSince: null }, START + 1_000 * MINUTE).state.attempts).toBe(4)
  })

  it('counts stability from the first check without drift', () => {
    const once = markStable({ attempts: 1, lastAt: START, stableSince: null }, START + 1)
    expect(once.stableSince).toBe(START + 1)
    expect(markStable(once, START + 2)).toEqual(once)
  })

  it('is never in the past and never more than five minutes away, even when the clock was set back', () => {
    const time = fc.integer({ min: 0, max: 4_000_000_000_000 })
    const state: fc.Arbitrary<HealState> = fc.record({
      attempts: fc.nat({ max: 100_000 }),
      lastAt: fc.option(time),
      stableSince: fc.option(time),
    })
    fc.assert(
      fc.property(state, time, (from, now) => {
        const { at, state: to } = nextHeal(from, now)
        expect(at).toBeGreaterThanOrEqual(now)
        expect(at - now).toBeLessThanOrEqual(300_000)
        expect(to.lastAt).toBe(at)
        expect(to.attempts).toBeGreaterThan(0)
      }),
    )
  })
})
