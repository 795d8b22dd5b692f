import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { driftFromPlan, reconcileDrift, type DriftRecordView } from '../drift/records.ts'
import { boundCoverage, byReason, covering, MAX_UNCHECKED, uncheckedCount } from './coverage.ts'
import { comparePlans } from './compare.ts'
import { change, plan } from './fixtures.ts'
import type { Coverage, Unchecked } from './plan.ts'
import { isInSync, summaryText } from './summary.ts'

const HOSTS = ['web1', 'web2', 'web10']
const TASKS = ['', '/copy', '/copy: a', '/copy: b', '/lines', '/lines: a']
const address = fc.tuple(fc.constantFrom(...HOSTS), fc.constantFrom(...TASKS)).map((parts) => parts.join(''))
const entry: fc.Arbitrary<Unchecked> = fc.record(
  {
    address: fc.oneof({ weight: 9, arbitrary: address }, { weight: 1, arbitrary: fc.constant('*') }),
    why: fc.constantFrom('off', 'no check mode', 'failed'),
    unreachable: fc.boolean(),
    failed: fc.boolean(),
    count: fc.integer({ min: 1, max: 9 }),
  },
  { requiredKeys: ['address', 'why'] },
)
const coverage: fc.Arbitrary<Coverage> = fc.record({
  checked: fc.nat(20),
  unchecked: fc.array(entry, { maxLength: 6 }),
})
const below = (root: string, each: string): boolean =>
  root === '*' || each === root || each.startsWith(`${root}/`) || each.startsWith(`${root}: `)

describe('what was not looked at', () => {
  it('covers itself and what lies below it, and no neighbour', () => {
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 4 }), address, (unchecked, each) => {
        expect(covering(unchecked)(each)).toBe(unchecked.some((one) => below(one.address, each)))
      }),
    )
    expect(covering([{ address: 'aws_instance.x' }])('aws_instance.x[0]')).toBe(true)
    expect(covering([{ address: 'web2' }])('web20/motd')).toBe(false)
  })

  it('covers no less when the list is folded, and counts the same', () => {
    fc.assert(
      fc.property(coverage, fc.integer({ min: 1, max: 5 }), address, (whole, limit, each) => {
        const bounded = boundCoverage(whole, limit)
        expect(bounded.unchecked.length).toBeLessThanOrEqual(limit)
        if (covering(whole.unchecked)(each)) expect(covering(bounded.unchecked)(each)).toBe(true)
        expect(uncheckedCount(bounded)).toBe(uncheckedCount(boundCoverage(whole, 1_000)))
        const isBroken = ({ unchecked }: Coverage) => unchecked.some(({ failed }) => failed)
        expect(isBroken(bounded)).toBe(isBroken(whole))
        expect(boundCoverage(bounded, limit)).toEqual(bounded)
      }),
    )
  })

  it('stays bounded in a plan, by host, and another list has another digest', () => {
    const listOf = (last: string) =>
      Array.from({ length: MAX_UNCHECKED + 1 }, (_, at) => ({
        address: `web${at % 3}/${at === MAX_UNCHECKED ? last : at}`,
        why: at % 2 === 0 ? 'off' : 'no check mode',
      }))
    const [one, other] = ['x', 'y'].map((last) => plan([], { coverage: { checked: 0, unchecked: listOf(last) } }))
    expect(one!.coverage.unchecked.map(({ address: host, count }) => [host, count])).toEqual([
      ['web0', 667],
      ['web1', 667],
      ['web2', 667],
    ])
    expect(one!.digest).not.toBe(other!.digest)
    expect(comparePlans(one!, other!).verdict).toBe('different')
  })

  it('is told by reason, the most frequent first', () => {
    const unchecked = ['a', 'b', 'c'].map((each) => ({ address: each, why: each === 'a' ? 'rare' : 'often' }))
    expect(byReason(unchecked).map(({ why, count }) => [why, count])).toEqual([
      ['often', 2],
      ['rare', 1],
    ])
  })
})

describe('a plan of any coverage', () => {
  it('says "no changes" only where everything was looked at', () => {
    fc.assert(
      fc.property(coverage, (each) => {
        const empty = plan([], { coverage: each })
        expect(isInSync(empty)).toBe(each.unchecked.length === 0)
        expect(summaryText(empty) === 'no changes').toBe(each.unchecked.length === 0)
      }),
    )
    const seen = plan([change('a')], { coverage: { checked: 5, unchecked: [{ address: 'b', why: 'off', count: 2 }] } })
    expect(summaryText(seen)).toBe('1 to update; 2 of 7 not checked')
  })

  it('is strictly less than an approved one only where it leaves out no more', () => {
    fc.assert(
      fc.property(coverage, coverage, address, (was, is, each) => {
        const { verdict } = comparePlans(plan([], { coverage: was }), plan([], { coverage: is }))
        const isUnseen = covering(boundCoverage(is).unchecked)
        if (verdict !== 'different' && isUnseen(each)) expect(covering(boundCoverage(was).unchecked)(each)).toBe(true)
      }),
    )
  })

  it('closes no drift record that was not looked at', () => {
    fc.assert(
      fc.property(coverage, fc.uniqueArray(address, { maxLength: 8 }), (each, addresses) => {
        const records = addresses.map(
          (one): DriftRecordView => ({
            id: one,
            address: one,
            attribute: '',
            expected: 1,
            actual: 2,
            state: 'open',
            acceptedUntil: null,
          }),
        )
        const look = plan([], { coverage: each })
        const { closed } = reconcileDrift(records, driftFromPlan(look), 1, look.coverage.unchecked)
        for (const { id } of closed) expect(each.unchecked.some((one) => below(one.address, id))).toBe(false)
      }),
    )
  })
})
