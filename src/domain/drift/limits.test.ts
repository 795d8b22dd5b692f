import { describe, expect, it } from 'vitest'
import { change, plan } from '../plans/fixtures.ts'
import { brake } from './brake.ts'
import { FLAPPING, flapping } from './flapping.ts'

const destroying = (count: number) =>
  plan(
    Array.from({ length: count }, (_, index) =>
      change(`x${index}`, [], { actions: [index % 2 ? 'delete' : 'replace'] }),
    ),
  )

describe('the brake', () => {
  it('holds a heal that deletes or replaces more than allowed', () => {
    expect(brake(destroying(0), 0).held).toBe(false)
    expect(brake(destroying(1), 0)).toEqual({
      held: true,
      message: 'healing would delete or replace 1 resource, and `drift.maxDestroys` is 0: a person has to approve it',
    })
    expect(brake(destroying(3), 3).held).toBe(false)
    expect(brake(destroying(4), 3).held).toBe(true)
  })

  it('does not hold where there is no limit, nor creations and updates', () => {
    expect(brake(destroying(50), null).held).toBe(false)
    expect(brake(plan([change('x'), change('y', [], { actions: ['create'] })]), 0).held).toBe(false)
  })
})

describe('flapping', () => {
  const NOW = 100 * 60_000
  const heals = (attribute: string, times: number, ago: number) =>
    Array.from({ length: times }, () => ({ address: 'x', attribute, at: NOW - ago }))

  it('is an attribute that was healed five times in ten minutes', () => {
    expect(flapping(heals('a', 4, 0), FLAPPING, NOW)).toEqual([])
    expect(flapping(heals('a', 5, FLAPPING.windowMs - 1), FLAPPING, NOW)).toEqual([
      { address: 'x', attribute: 'a', count: 5 },
    ])
    expect(flapping(heals('a', 5, FLAPPING.windowMs), FLAPPING, NOW)).toEqual([])
  })

  it('counts each attribute for itself, the worst first', () => {
    const all = [...heals('a', 5, 1), ...heals('b', 7, 1), ...heals('c', 3, 1)]
    expect(flapping(all, FLAPPING, NOW).map(({ attribute, count }) => [attribute, count])).toEqual([
      ['b', 7],
      ['a', 5],
    ])
  })

  it('does not mix addresses and attributes that look alike when joined', () => {
    const one = Array.from({ length: 3 }, () => ({ address: 'a.b', attribute: 'c', at: NOW }))
    const other = Array.from({ length: 3 }, () => ({ address: 'a', attribute: 'b.c', at: NOW }))
    expect(flapping([...one, ...other], FLAPPING, NOW)).toEqual([])
  })

  it('ignores heals that a clock set back puts into the future', () => {
    expect(flapping(heals('a', 9, -1), FLAPPING, NOW)).toEqual([])
  })
})
