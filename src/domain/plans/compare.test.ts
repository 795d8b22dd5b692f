import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { AttributeChange, ResourceChange } from './plan.ts'
import { comparePlans, describeDifference } from './compare.ts'
import { arbitraryChange, arbitraryChanges, arbitraryPlan, change, plan } from './fixtures.ts'

const attribute: AttributeChange = { path: 'a', before: 1, after: 2 }
const x = change('x', [attribute])
const y = change('y', [attribute])

function compared(approved: ResourceChange[], fresh: ResourceChange[]) {
  const { verdict, differences } = comparePlans(plan(approved), plan(fresh))
  return { verdict, how: differences.map((item) => `${item.address}.${item.attribute} ${item.how}`) }
}
const changed = (more: Partial<AttributeChange>) => change('x', [{ ...attribute, ...more }])

describe('comparing the approved plan with a fresh one', () => {
  it('is equal for the same changes, whatever their order and explanation', () => {
    expect(compared([x, y], [y, change('x', [attribute], { reason: 'because' })])).toEqual({
      verdict: 'equal',
      how: [],
    })
  })

  it('is fewer when approved resources no longer change', () => {
    expect(compared([x, y], [y])).toEqual({ verdict: 'fewer', how: ['x. missing'] })
    expect(compared([x, y], [])).toEqual({ verdict: 'fewer', how: ['x. missing', 'y. missing'] })
  })

  it('is fewer when an update has fewer attributes left', () => {
    const both = change('x', [attribute, { path: 'b', before: 1, after: 2 }])
    expect(compared([both], [x])).toEqual({ verdict: 'fewer', how: ['x.b missing'] })
  })

  it('is different when a creation or replacement lacks an approved attribute', () => {
    for (const action of ['create', 'replace', 'import', 'delete'] as const) {
      const encrypted = change(
        'x',
        [
          { path: 'a', after: 1 },
          { path: 'encrypted', after: true },
        ],
        { actions: [action] },
      )
      const plain = change('x', [{ path: 'a', after: 1 }], { actions: [action] })
      expect(compared([encrypted], [plain]), action).toEqual({ verdict: 'different', how: ['x.encrypted missing'] })
    }
  })

  it('is different when anything new comes along, even when something is missing too', () => {
    expect(compared([x], [x, y])).toEqual({ verdict: 'different', how: ['y. added'] })
    expect(compared([x], [y])).toEqual({ verdict: 'different', how: ['x. missing', 'y. added'] })
    expect(compared([x], [change('x', [attribute, { path: 'b', after: 1 }])]).how).toEqual(['x.b added'])
  })

  it.each([
    ['after_changed', changed({ after: 3 })],
    ['after_changed', changed({ after: undefined, unknown: true })],
    ['after_changed', changed({ sensitive: true })],
  ])('says %s', (how, fresh) => {
    expect(compared([x], [fresh])).toEqual({ verdict: 'different', how: [`x.a ${how}`] })
  })

  it('is equal where only the text that an update overwrites is another one', () => {
    expect(compared([x], [changed({ before: 0 })])).toEqual({ verdict: 'equal', how: [] })
  })

  it('says when something else would be destroyed', () => {
    const gone = (before: number) => change('x', [{ path: 'a', before }])
    expect(compared([gone(1)], [gone(2)])).toEqual({ verdict: 'different', how: ['x.a before_changed'] })
  })

  it('says when both sides changed, when a value became known, and when actions or moves differ', () => {
    expect(compared([x], [changed({ before: { b: 1 }, after: 9 })]).how).toEqual([
      'x.a before_changed',
      'x.a after_changed',
    ])
    expect(compared([changed({ unknown: true, after: undefined })], [x]).how).toEqual(['x.a became_known'])
    expect(compared([x], [{ ...x, actions: ['replace'] }]).how).toEqual(['x. actions_changed'])
    expect(compared([x], [{ ...x, previousAddress: 'w' }]).how).toEqual(['x. move_changed'])
  })

  it('is different for another desired state or another major version, with the same changes', () => {
    const other = comparePlans(
      plan([x]),
      plan([x], { toolVersions: { terraform: '2.0.0' } }, { desiredDigest: 'sha256:b' }),
    )
    expect(other.verdict).toBe('different')
    expect(other.differences.map(({ how }) => how)).toEqual(['desired_changed', 'tool_changed'])
  })

  it('is different when the digests differ although no difference is seen', () => {
    expect(comparePlans({ ...plan([x]), digest: 'sha256:forged' }, plan([x])).verdict).toBe('different')
  })

  it('leaves unstable attributes out', () => {
    const unstable = { unstable: [{ address: 'x', attribute: 'a' }] }
    expect(comparePlans(plan([x], {}, unstable), plan([changed({ after: 7 })], {}, unstable)).verdict).toBe('equal')
  })

  it('is equal exactly when the digests are', () => {
    fc.assert(
      fc.property(arbitraryPlan, arbitraryPlan, (approved, fresh) => {
        expect(comparePlans(approved, fresh).verdict === 'equal').toBe(approved.digest === fresh.digest)
        expect(comparePlans(approved, approved)).toEqual({ verdict: 'equal', differences: [] })
      }),
      { numRuns: 500 },
    )
  })

  it('is fewer or equal for every part of an approved plan', () => {
    const part = arbitraryChanges.chain((changes) => {
      const whole = plan(changes)
      return fc.record({ whole: fc.constant(whole), kept: fc.subarray(whole.changes) })
    })
    fc.assert(
      fc.property(part, ({ whole, kept }) => {
        const expected = kept.length === whole.changes.length ? 'equal' : 'fewer'
        expect(comparePlans(whole, plan(kept)).verdict).toBe(expected)
      }),
    )
  })

  it('is never fewer when something new comes along', () => {
    fc.assert(
      fc.property(arbitraryPlan, arbitraryChange, (approved, extra) => {
        const fresh = plan([...approved.changes, { ...extra, address: 'new', actions: ['update'], attributes: [] }])
        expect(comparePlans(approved, fresh).verdict).toBe('different')
      }),
    )
  })

  it('is fewer only when every attribute that is left was approved as it is', () => {
    fc.assert(
      fc.property(arbitraryPlan, arbitraryPlan, (approved, fresh) => {
        if (comparePlans(approved, fresh).verdict !== 'fewer') return
        for (const left of fresh.changes) {
          const was = approved.changes.find(({ address }) => address === left.address)
          expect(was?.actions).toEqual(left.actions)
          for (const item of left.attributes) {
            const approvedItem = was?.attributes.find(({ path }) => path === item.path)
            if (!left.actions.includes('update')) expect(approvedItem?.before).toEqual(item.before)
            if (!item.unknown) expect(approvedItem?.after).toEqual(item.after)
          }
        }
      }),
      { numRuns: 2_000 },
    )
  })
})

describe('describing a difference', () => {
  const text = (approved: ResourceChange[], fresh: ResourceChange[]) =>
    comparePlans(plan(approved), plan(fresh)).differences.map(describeDifference)

  it('names resource, attribute and both values', () => {
    const gone = (before: number) => change('x', [{ path: 'a', before }])
    expect(text([gone(1)], [gone(0)])).toEqual(['a of x is now 0; it was 1 when it was approved'])
    expect(text([x], [changed({ after: 'n' })])).toEqual(['a of x would become "n"; approved was 2'])
    expect(text([x], [])).toEqual(['x no longer changes (approved: update)'])
    expect(text([], [{ ...x, actions: ['delete'] }])).toEqual(['x was not approved: it would now delete'])
    expect(text([x], [changed({ unknown: true, after: undefined })])).toEqual([
      'a of x would become (known after apply); approved was 2',
    ])
  })

  it('never shows a sensitive value', () => {
    const secret = (after: string) => changed({ before: 'hmac:0', after, sensitive: true })
    const [sentence] = text([secret('hmac:1')], [secret('hmac:2')])
    expect(sentence).toBe('a of x would become (sensitive); approved was (sensitive)')
  })

  it('shortens long values', () => {
    const [sentence = ''] = text([x], [changed({ after: 'long'.repeat(500) })])
    expect(sentence.length).toBeLessThan(200)
  })
})
