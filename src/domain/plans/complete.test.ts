import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { TrueupError } from '../../lib/errors/error.ts'
import type { Json } from '../../lib/json.ts'
import { completePlan, MAX_CHANGES } from './complete.ts'
import { arbitraryChanges, change, driverPlan, FACTS, plan } from './fixtures.ts'
import { stopwatch } from '../stopwatch.testing.ts'

const codeOf = (work: () => unknown): string => {
  try {
    work()
  } catch (error) {
    return error instanceof TrueupError ? error.code : String(error)
  }
  return 'no error'
}

describe('completing a plan', () => {
  it('drops changes that change nothing', () => {
    const done = plan([
      change('none', [], { actions: ['none'] }),
      change('same', [{ path: 'a', before: { x: 1, y: 2 }, after: { y: 2, x: 1 } }]),
      change('partly', [
        { path: 'a', before: 1, after: 1 },
        { path: 'b', before: 1, after: 2 },
      ]),
    ])
    expect(done.changes.map(({ address }) => address)).toEqual(['partly'])
    expect(done.changes[0]?.attributes.map(({ path }) => path)).toEqual(['b'])
    expect(done.summary).toEqual({ create: 0, update: 1, delete: 0, replace: 0, other: 0 })
  })

  it('keeps an update whose tool names no attributes, a deletion without any, and a move', () => {
    const done = plan([
      change('opaque'),
      change('gone', [], { actions: ['delete'] }),
      change('moved', [{ path: 'a', before: 1, after: 1 }], { previousAddress: 'old' }),
    ])
    expect(done.changes.map(({ address }) => address)).toEqual(['gone', 'moved', 'opaque'])
  })

  it('keeps an attribute that is known only after apply', () => {
    const done = plan([change('x', [{ path: 'id', before: 'a', unknown: true }])])
    expect(done.changes[0]?.attributes).toEqual([{ path: 'id', before: 'a', unknown: true }])
  })

  it('leaves out what is ignored, and a resource of which nothing else changes', () => {
    const changes = [
      change('Deployment/web', [{ path: 'spec.replicas', before: 1, after: 2 }]),
      change('Service/web', [{ path: 'spec.replicas', before: 1, after: 2 }]),
    ]
    const done = plan(changes, {}, { ignore: [{ address: 'Deployment/*', attribute: 'spec.replicas' }] })
    expect(done.changes.map(({ address }) => address)).toEqual(['Service/web'])
  })

  it('shows unstable attributes but keeps them out of the digest', () => {
    const at = (time: string) =>
      plan(
        [
          change('x', [
            { path: 'built', before: '0', after: time },
            { path: 'a', after: 1 },
          ]),
        ],
        {},
        { unstable: [{ address: 'x', attribute: 'built' }] },
      )
    expect(at('1').changes[0]?.attributes).toContainEqual({ path: 'built', before: '0', after: '1', unstable: true })
    expect(at('1').digest).toBe(at('2').digest)
  })

  it('makes deleting and creating one resource a replacement', () => {
    const done = plan([change('x', [], { actions: ['delete', 'create'] })])
    expect(done.changes[0]?.actions).toEqual(['replace'])
    expect(done.summary.replace).toBe(1)
  })

  it('overrides the cause only where it is known', () => {
    const from = [change('x', [], { cause: 'input' })]
    expect(plan(from).changes[0]?.cause).toBe('input')
    expect(plan(from, {}, { cause: 'drift' }).changes[0]?.cause).toBe('drift')
  })

  it('drops repeats and tells different changes of one address apart', () => {
    const one = change('x', [{ path: 'a', after: 1 }])
    const other = change('x', [{ path: 'a', after: 2 }])
    expect(plan([one, one]).changes).toHaveLength(1)
    expect(plan([one, other]).changes.map(({ address }) => address)).toEqual(['x', 'x#2'])
    expect(plan([one, other, change('x#2')]).changes.map(({ address }) => address)).toEqual(['x', 'x#2', 'x#3'])
  })

  it('replaces large values by a marker that differs where the values do', () => {
    const large = (letter: string) => plan([change('x', [{ path: 'content', after: letter.repeat(70_000) }])])
    expect(large('a').changes[0]?.attributes[0]?.after).toMatchObject({ $large: { bytes: 70_002 } })
    expect(large('a').digest).toBe(large('a').digest)
    expect(large('a').digest).not.toBe(large('b').digest)
    expect(JSON.stringify(large('a')).length).toBeLessThan(2_000)
  })

  it('refuses plans beyond its bounds', () => {
    const many = Array.from({ length: MAX_CHANGES + 1 }, (_, index) => change(`x${index}`))
    const value = 'v'.repeat(60_000)
    const heavy = Array.from({ length: 1_200 }, (_, index) => change(`x${index}`, [{ path: 'a', after: value }]))
    let deep: Json = 1
    for (let level = 0; level < 50_000; level += 1) deep = [deep]
    expect(codeOf(() => plan(many))).toBe('TOO_LARGE')
    expect(codeOf(() => plan(heavy))).toBe('TOO_LARGE')
    expect(codeOf(() => plan([change('x', [{ path: 'a', after: deep }])]))).toBe('TOO_LARGE')
    expect(codeOf(() => plan([change('x', [{ path: 'a', after: deep, unknown: true }])]))).toBe('TOO_LARGE')
    expect(codeOf(() => plan([], { outputs: { a: { value: deep, sensitive: false } } }))).toBe('TOO_LARGE')
  })

  it('keeps at most 1,000 findings and says how many are left out', () => {
    const findings = Array.from({ length: 1_500 }, () => ({ severity: 'info' as const, message: 'm' }))
    const done = plan([], { findings })
    expect(done.findings).toHaveLength(1_000)
    expect(done.findings.at(-1)?.message).toBe('501 more findings are in the log of the run')
  })

  it('completes 20,000 changes in well under five seconds', () => {
    const many = Array.from({ length: MAX_CHANGES }, (_, index) => change(`x${index}`, [{ path: 'a', after: index }]))
    const elapsed = stopwatch()
    expect(plan(many, {}, { ignore: [{ address: 'y*', attribute: '**' }] }).changes).toHaveLength(MAX_CHANGES)
    expect(elapsed()).toBeLessThan(5_000)
  })

  it('changes nothing when it is done twice, whatever the plan', () => {
    fc.assert(
      fc.property(arbitraryChanges, (changes) => {
        const once = plan(changes, {}, { unstable: [{ address: 'x', attribute: 'a' }] })
        expect(completePlan(once, FACTS)).toEqual(once)
      }),
    )
  })

  it('does not change what it was given', () => {
    fc.assert(
      fc.property(arbitraryChanges, (changes) => {
        const given = driverPlan(changes)
        const copy = structuredClone(given)
        completePlan(given, { ...FACTS, cause: 'drift', unstable: [{ address: 'x', attribute: 'a' }] })
        expect(given).toEqual(copy)
      }),
    )
  })
})
