import { getEventListeners } from 'node:events'
import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { pause, pauseAfter, retry, type RetryOptions } from './retry.ts'

const PAUSES = { first: 100, longest: 1_000 }
/** Seeded, so that a red run tells of the code and not of luck. */
function chances(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32
    return state / 2 ** 32
  }
}

describe('a pause', () => {
  it('is none before the first failure', () => {
    expect(pauseAfter(0, PAUSES)).toBe(0)
    expect(pauseAfter(-1, PAUSES)).toBe(0)
  })

  it.each([
    [1, 100],
    [2, 200],
    [3, 400],
    [4, 800],
    [5, 1_000],
    [6, 1_000],
    [100_000, 1_000],
  ])('after %i failures is anything from nothing up to %i ms', (failures, most) => {
    expect(pauseAfter(failures, PAUSES, 0)).toBe(0)
    expect(pauseAfter(failures, PAUSES, 1 - Number.EPSILON)).toBe(most - 1)
  })

  it('grows by the factor that is asked for', () => {
    expect([1, 2, 3].map((failures) => pauseAfter(failures, { first: 2, longest: 1_000, factor: 3 }, 0.5))).toEqual([
      1, 3, 9,
    ])
  })

  it('never leaves its bounds', () => {
    const pauses = fc.record({
      first: fc.integer({ min: 1, max: 1e6 }),
      longest: fc.integer({ min: 1, max: 1e6 }),
      factor: fc.integer({ min: 1, max: 10 }),
    })
    const property = fc.property(fc.nat(), pauses, (failures, its) => {
      const ms = pauseAfter(failures, its)
      expect(Number.isInteger(ms) && ms >= 0 && ms <= its.longest).toBe(true)
    })
    fc.assert(property)
  })

  it('spreads ten thousand that failed in one moment over the whole of it', () => {
    const chance = chances(1)
    const windows = Array.from({ length: 100 }, () => 0)
    for (let worker = 0; worker < 10_000; worker++)
      windows[Math.floor(pauseAfter(9, { first: 500, longest: 30_000 }, chance()) / 300)]! += 1
    // Even would be 100 in each.
    expect(Math.max(...windows)).toBeLessThan(150)
    expect(Math.min(...windows)).toBeGreaterThan(50)
  })

  it('ends at the signal, without an error', async () => {
    const over = new AbortController()
    const paused = pause(1, { first: 2 ** 40, longest: 2 ** 40 }, over.signal)
    over.abort()
    await expect(paused).resolves.toBeUndefined()
  })
})

describe('retry', () => {
  const failing = (times: number) => {
    let calls = 0
    const attempt = async () => {
      if (calls++ < times) throw new Error(`attempt ${calls}`)
      return 'done'
    }
    return { attempt, calls: () => calls }
  }
  const always: RetryOptions<string> = { pauses: { first: 1, longest: 1 }, again: ({ ok }) => !ok }

  it('answers with the first value that is good', async () => {
    const its = failing(3)
    await expect(retry(its.attempt, always)).resolves.toBe('done')
    expect(its.calls()).toBe(4)
  })

  it('makes no second attempt where that would not help', async () => {
    const its = failing(3)
    await expect(retry(its.attempt, { ...always, again: () => false })).rejects.toThrow('attempt 1')
    expect(its.calls()).toBe(1)
  })

  it('throws what the last attempt threw', async () => {
    const its = failing(9)
    await expect(retry(its.attempt, { ...always, attempts: 3 })).rejects.toThrow('attempt 3')
    expect(its.calls()).toBe(3)
  })

  it('may find a value not good enough, and gives the last one all the same', async () => {
    let calls = 0
    const told: unknown[] = []
    const options = {
      ...always,
      attempts: 3,
      again: () => true,
      onAgain: (outcome: unknown) => void told.push(outcome),
    }
    await expect(retry(async () => `answer ${++calls}`, options)).resolves.toBe('answer 3')
    expect(told).toEqual([
      { ok: true, value: 'answer 1' },
      { ok: true, value: 'answer 2' },
    ])
  })

  it('comes no sooner than the other side has asked for', async () => {
    const began = performance.now()
    let calls = 0
    await retry(async () => ++calls, { pauses: { first: 1, longest: 1 }, attempts: 2, again: () => 50 })
    // A timer may fire up to one millisecond early.
    expect(performance.now() - began).toBeGreaterThanOrEqual(49)
  })

  it('makes no attempt when it is stopped before', async () => {
    const its = failing(0)
    await expect(retry(its.attempt, { ...always, signal: AbortSignal.abort('stop') })).rejects.toBe('stop')
    expect(its.calls()).toBe(0)
  })

  it('stops in the middle of a pause with the reason of the signal', async () => {
    const over = new AbortController()
    const its = failing(9)
    const pauses = { first: 2 ** 40, longest: 2 ** 40 }
    const options = {
      ...always,
      pauses,
      signal: over.signal,
      onAgain: () => void setImmediate(() => over.abort('stop')),
    }
    await expect(retry(its.attempt, options)).rejects.toBe('stop')
    expect(its.calls()).toBe(1)
  })

  it('gives a value that came although it was stopped meanwhile', async () => {
    const over = new AbortController()
    const attempt = async () => (over.abort('stop'), 'done')
    await expect(retry(attempt, { ...always, signal: over.signal })).resolves.toBe('done')
  })

  it('leaves nothing behind at a signal that lives long', async () => {
    const over = new AbortController()
    const signal = over.signal
    const listening = vi.fn<(count: number) => void>()
    const again = ({ ok }: { ok: boolean }) => (
      setImmediate(() => listening(getEventListeners(signal, 'abort').length)), !ok
    )
    await retry(failing(5).attempt, { pauses: { first: 20, longest: 20 }, again, signal })
    expect(getEventListeners(signal, 'abort')).toEqual([])
  })
})
