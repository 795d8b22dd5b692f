import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { arbitraryPlan, change, plan } from '../plans/fixtures.ts'
import { driftFromPlan, reconcileDrift, type DriftItem, type DriftRecordView } from './records.ts'

const NOW = 1_000
const item = (more: Partial<DriftItem> = {}): DriftItem => ({
  address: 'x',
  attribute: 'a',
  expected: 1,
  actual: 2,
  sensitive: false,
  actions: ['update'],
  by: null,
  ...more,
})
const record = (more: Partial<DriftRecordView> = {}): DriftRecordView => ({
  id: 'r1',
  address: 'x',
  attribute: 'a',
  expected: 1,
  actual: 2,
  state: 'open',
  acceptedUntil: null,
  ...more,
})

describe('drift in a plan', () => {
  const of = (...changes: Parameters<typeof plan>[0]) =>
    driftFromPlan(plan(changes)).map(({ address, attribute, expected, actual }) => [
      address,
      attribute,
      expected,
      actual,
    ])

  it('is one item per attribute: what apply would write is expected, what it finds is actual', () => {
    const attributes = [
      { path: 'a', before: 'live', after: 'git' },
      { path: 'b', before: 'surplus' },
      { path: 'c', after: 'lost' },
      { path: 'd', before: 'x', unknown: true },
    ]
    expect(of(change('x', attributes))).toEqual([
      ['x', 'a', 'git', 'live'],
      ['x', 'b', null, 'surplus'],
      ['x', 'c', 'lost', null],
      ['x', 'd', '(known after apply)', 'x'],
    ])
  })

  it('is one item for a resource that is missing, surplus or changed in unknown ways', () => {
    const attributes = [{ path: 'a', after: 1 }]
    expect(of(change('x', attributes, { actions: ['create'] }))).toEqual([['x', '', 'present', 'absent']])
    expect(of(change('x', [{ path: 'a', before: 1 }], { actions: ['delete'] }))).toEqual([
      ['x', '', 'absent', 'present'],
    ])
    expect(of(change('x'))).toEqual([['x', '', 'present', null]])
  })

  it('shows what a replacement differs in', () => {
    expect(of(change('x', [{ path: 'a', before: 1, after: 2 }], { actions: ['replace'] }))).toEqual([['x', 'a', 2, 1]])
  })

  it('is neither reading a data source nor an unstable attribute', () => {
    expect(of(change('data.x', [], { actions: ['read'] }))).toEqual([])
    const unstable = { unstable: [{ address: 'x', attribute: 'a' }] }
    expect(driftFromPlan(plan([change('x', [{ path: 'a', before: 1, after: 2 }])], {}, unstable))).toEqual([])
  })

  it('marks sensitive values', () => {
    const sensitive = { path: 'a', before: 'hmac:1', after: 'hmac:2', sensitive: true }
    expect(driftFromPlan(plan([change('x', [sensitive])]))).toMatchObject([{ sensitive: true, actual: 'hmac:1' }])
  })
})

describe('drift records after a check', () => {
  it('are opened, kept up to date and closed', () => {
    const items = [item({ actual: 3 }), item({ attribute: 'new' })]
    const records = [record(), record({ id: 'r2', address: 'y' })]
    expect(reconcileDrift(records, items, NOW)).toEqual({
      opened: [items[1]],
      updated: [{ id: 'r1', state: 'open', item: items[0], lastSeenAt: NOW }],
      closed: [{ id: 'r2', state: 'gone' }],
    })
  })

  it('stay accepted until their time is over', () => {
    const accepted = (acceptedUntil: number | null) =>
      reconcileDrift([record({ state: 'accepted', acceptedUntil })], [item()], NOW).updated[0]
    expect(accepted(null)).toMatchObject({ state: 'accepted' })
    expect(accepted(NOW + 1)).toMatchObject({ state: 'accepted' })
    expect(accepted(NOW)).toMatchObject({ state: 'open', reopened: 'expired' })
  })

  it('open again when the actual value is no longer the accepted one', () => {
    const accepted = [record({ state: 'accepted', actual: { b: 1, a: 2 } })]
    expect(reconcileDrift(accepted, [item({ actual: { a: 2, b: 1 } })], NOW).updated[0]?.state).toBe('accepted')
    expect(reconcileDrift(accepted, [item({ actual: 9 })], NOW).updated).toMatchObject([
      { state: 'open', reopened: 'changed' },
    ])
  })

  it('are gone when accepted drift has vanished', () => {
    expect(reconcileDrift([record({ state: 'accepted' })], [], NOW).closed).toEqual([{ id: 'r1', state: 'gone' }])
  })

  it('are left alone where the tool could not look', () => {
    const left = { opened: [], updated: [], closed: [] }
    expect(reconcileDrift([record()], [], NOW, [{ address: 'x' }])).toEqual(left)
    expect(reconcileDrift([record({ address: 'web2/motd' })], [], NOW, [{ address: 'web2' }])).toEqual(left)
    expect(reconcileDrift([record()], [], NOW, [{ address: '*' }])).toEqual(left)
    expect(reconcileDrift([record({ address: 'web20/motd' })], [], NOW, [{ address: 'web2' }]).closed).toHaveLength(1)
  })

  it('account for every record and every item exactly once', () => {
    fc.assert(
      fc.property(arbitraryPlan, arbitraryPlan, (before, after) => {
        const records = driftFromPlan(before).map((found, index) =>
          record({ ...found, id: `r${index}`, state: 'open' }),
        )
        const items = driftFromPlan(after)
        const { opened, updated, closed } = reconcileDrift(records, items, NOW)
        expect([...updated, ...closed].map(({ id }) => id).sort()).toEqual(records.map(({ id }) => id).sort())
        expect([...opened, ...updated.map((update) => update.item)]).toHaveLength(items.length)
      }),
    )
  })
})
