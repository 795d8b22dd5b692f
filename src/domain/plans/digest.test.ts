import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { AttributeChange, Unchecked } from './plan.ts'
import { arbitraryChanges, change, plan } from './fixtures.ts'

const one = (attribute: Partial<AttributeChange>) =>
  plan([change('x', [{ path: 'a', before: 1, after: 2, ...attribute }])]).digest

describe('the plan digest', () => {
  it('does not depend on any order', () => {
    fc.assert(
      fc.property(
        arbitraryChanges.chain((changes) =>
          fc.record({
            changes: fc.constant(changes),
            shuffled: fc.shuffledSubarray(changes, { minLength: changes.length }),
          }),
        ),
        ({ changes, shuffled }) => {
          const turned = shuffled.map((item) => ({
            ...item,
            attributes: [...item.attributes].reverse(),
            actions: [...item.actions].reverse(),
          }))
          expect(plan(turned).digest).toBe(plan(changes).digest)
        },
      ),
    )
  })

  it('holds what is approved: address, move, actions, what is written and destroyed, sensitivity', () => {
    const base = plan([change('x', [{ path: 'a', before: 1, after: 2 }])])
    const others = [
      plan([]),
      plan([change('y', [{ path: 'a', before: 1, after: 2 }])]),
      plan([change('x', [{ path: 'a', before: 1, after: 2 }], { previousAddress: 'w' })]),
      plan([change('x', [{ path: 'a', before: 1, after: 2 }], { actions: ['replace'] })]),
      plan([change('x', [{ path: 'b', before: 1, after: 2 }])]),
    ].map(({ digest }) => digest)
    const values = [
      one({ after: 3 }),
      one({ after: '2' }),
      one({ after: null }),
      one({ after: undefined }),
      one({ sensitive: true }),
      one({ unknown: true, after: undefined }),
    ]
    const digests = [base.digest, ...others, ...values]
    expect(new Set(digests).size).toBe(digests.length)
  })

  it('holds what could not be checked, not why', () => {
    const without = plan([])
    const one = (entry: Partial<Unchecked>) =>
      plan([], { coverage: { checked: 1, unchecked: [{ address: 'y', why: 'off', ...entry }] } }).digest
    expect(
      new Set([without.digest, one({}), one({ address: 'z' }), one({ failed: true }), one({ unreachable: true })]).size,
    ).toBe(5)
    expect(one({ why: 'off since noon', count: 3 })).toBe(one({}))
  })

  it('of an update does not hold the text that is overwritten, whether tampered with or repaired', () => {
    expect(one({ before: 3 })).toBe(one({}))
    expect(one({ before: 'tampered' })).toBe(one({}))
    expect(one({ before: undefined })).toBe(one({}))
    expect(one({ before: { a: 1, b: 2 }, after: { a: 3, b: 2 } })).toBe(
      one({ before: { a: 9, b: 9 }, after: { a: 3, b: 2 } }),
    )
  })

  it('holds what is destroyed: values taken away, members and items that are not in the state after, whole resources', () => {
    const pairs: [AttributeChange['before'], AttributeChange['before'], AttributeChange['after']][] = [
      [1, 2, undefined],
      [1, 2, null],
      [{ a: 1 }, { a: 1, hand: 'made' }, { a: 2 }],
      [{ a: { b: 1 } }, { a: { b: 1, c: [1] } }, { a: { b: 2 } }],
      [[80], [80, 8080], [443]],
      [[80, 1], [80, 2], [443]],
      ['x', { a: 1 }, 'y'],
      ['x', [1], { a: 1 }],
    ]
    for (const [was, is, after] of pairs) {
      expect(one({ before: was, after }), JSON.stringify([was, is])).not.toBe(one({ before: is, after }))
    }
    for (const action of ['delete', 'replace', 'forget', 'import'] as const) {
      const of = (before: number) =>
        plan([change('x', [{ path: 'a', before, after: 2 }], { actions: [action] })]).digest
      expect(of(1), action).not.toBe(of(3))
    }
    expect(one({ before: [1], unknown: true })).not.toBe(one({ before: [2], unknown: true }))
  })

  it('does not hold what only explains', () => {
    const attributes = [{ path: 'a', before: 1, after: 2 }]
    const bare = plan([change('x', attributes)])
    const explained = plan([change('x', attributes, { reason: 'forces replacement', cause: 'drift' })], {
      findings: [{ severity: 'warning', message: 'deprecated' }],
      coverage: { checked: 9, unchecked: [] },
      outputs: { id: { value: 1, sensitive: false } },
    })
    expect(explained.digest).toBe(bare.digest)
    expect(one({ sensitive: false, unknown: false })).toBe(bare.digest)
  })

  it('holds the desired digest and the major version of each tool only', () => {
    const with_ = (toolVersions: { [tool: string]: string }) => plan([change('x')], { toolVersions }).digest
    expect(with_({ terraform: '1.9.5' })).toBe(with_({ terraform: 'v1.10.0-beta1' }))
    expect(with_({ terraform: '1.9.5' })).not.toBe(with_({ terraform: '2.0.0' }))
    expect(with_({ terraform: '1.9.5' })).not.toBe(with_({ opentofu: '1.9.5' }))
    expect(with_({ tool: 'jessie' })).not.toBe(with_({ tool: 'woody' }))
    expect(plan([change('x')], {}, { desiredDigest: 'sha256:bb' }).digest).not.toBe(plan([change('x')]).digest)
  })

  it('sees a value under the key __proto__', () => {
    const hidden = (text: string) => one({ after: JSON.parse(text) })
    expect(hidden('{"__proto__": 1}')).not.toBe(hidden('{"__proto__": 2}'))
  })
})
