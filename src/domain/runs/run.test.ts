import { describe, expect, it } from 'vitest'
import {
  canTransition,
  describeState,
  isFinal,
  isStateChanging,
  LEASED_STATES,
  RUN_KINDS,
  RUN_STATES,
  RUN_TRANSITIONS,
  type RunState,
} from './run.ts'

/** Written once more by hand, so that a slip in the table is a failing test: row = from, column = to, x = legal. */
const TABLE = `
                  queued leased preparing planning awaiting_approval applying verifying succeeded failed canceled superseded blocked lost
queued            .      x      .         .        .                 .        .         .         x      x        x          x       .
leased            x      .      x         .        .                 .        .         .         x      x        x          .       .
preparing         x      .      .         x        .                 .        .         .         x      x        x          .       .
planning          x      .      .         .        x                 x        .         x         x      x        x          .       .
awaiting_approval x      .      .         .        .                 .        .         .         x      x        x          .       .
applying          .      .      .         .        .                 .        x         x         x      x        .          .       x
verifying         .      .      .         .        .                 .        .         x         x      x        .          .       x
succeeded         .      .      .         .        .                 .        .         .         .      .        .          .       .
failed            .      .      .         .        .                 .        .         .         .      .        .          .       .
canceled          .      .      .         .        .                 .        .         .         .      .        .          .       .
superseded        .      .      .         .        .                 .        .         .         .      .        .          .       .
blocked           x      .      .         .        .                 .        .         .         x      x        x          .       .
lost              .      .      .         .        .                 .        .         .         .      .        .          .       .
`
const [header = '', ...rows] = TABLE.trim().split('\n')
const columns = header.trim().split(/ +/)
const pairs = rows.flatMap((row) => {
  const [from = '', ...cells] = row.split(/ +/)
  return cells.map((cell, index) => [from as RunState, columns[index] as RunState, cell === 'x'] as const)
})
const FINAL: RunState[] = ['succeeded', 'failed', 'canceled', 'superseded', 'lost']

describe('the state machine of a run', () => {
  it('is written out for every pair of states', () => {
    expect(pairs).toHaveLength(RUN_STATES.length ** 2)
    expect(columns).toEqual([...RUN_STATES])
  })

  it.each(pairs)('%s → %s is legal: %s', (from, to, legal) => {
    expect(canTransition(from, to)).toBe(legal)
  })

  it('ends in the final states and nowhere else', () => {
    expect(RUN_STATES.filter(isFinal)).toEqual(FINAL)
  })

  it('reaches every state from the queue, and a final one from every state', () => {
    expect(reachable('queued')).toEqual(new Set(RUN_STATES))
    for (const state of RUN_STATES) expect([...reachable(state)].some(isFinal), state).toBe(true)
  })

  it('can be canceled until it has ended', () => {
    for (const state of RUN_STATES) expect(canTransition(state, 'canceled'), state).toBe(!isFinal(state))
  })

  it('is not taken back to the queue, nor superseded, once the world may be changing', () => {
    for (const state of ['applying', 'verifying'] as const) {
      expect(canTransition(state, 'queued')).toBe(false)
      expect(canTransition(state, 'superseded')).toBe(false)
      expect(canTransition(state, 'lost')).toBe(true)
    }
  })

  it('is lost only while applying or verifying', () => {
    const losing = RUN_STATES.filter((state) => canTransition(state, 'lost'))
    expect(losing).toEqual(['applying', 'verifying'])
  })

  it('applies only what was planned in the same lease', () => {
    expect(RUN_STATES.filter((state) => canTransition(state, 'applying'))).toEqual(['planning'])
  })

  it('leaves a leased state when its worker is gone', () => {
    for (const state of LEASED_STATES) {
      expect(
        RUN_TRANSITIONS[state].some((to) => to === 'queued' || to === 'lost'),
        state,
      ).toBe(true)
    }
  })
})

function reachable(from: RunState): Set<RunState> {
  const seen = new Set<RunState>([from])
  for (const state of seen) for (const next of RUN_TRANSITIONS[state]) seen.add(next)
  return seen
}

describe('words for runs', () => {
  it('name each state differently, with the reason', () => {
    expect(new Set(RUN_STATES.map((state) => describeState(state))).size).toBe(RUN_STATES.length)
    expect(describeState('awaiting_approval', 'plan_changed')).toBe('waiting for approval (plan changed)')
  })

  it('tell which kinds change things', () => {
    expect(RUN_KINDS.filter(isStateChanging)).toEqual(['deploy', 'heal', 'destroy'])
  })
})
