import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { dependantsOf, findCycle, levels, topological, upstreamOf } from './order.ts'
import { stopwatch } from '../stopwatch.testing.ts'

const stack = (key: string, ...needs: string[]) => ({ key, needs })
const keys = (stacks: { key: string }[]) => stacks.map(({ key }) => key)

/** Random graphs without cycles: node i may need only smaller ones; then shuffled. */
const acyclic = fc
  .array(fc.array(fc.nat(60), { maxLength: 4 }), { maxLength: 40 })
  .map((rows) => rows.map((row, i) => stack(`s${i}`, ...(i === 0 ? [] : row.map((n) => `s${n % i}`)))))
  .chain((stacks) => fc.shuffledSubarray(stacks, { minLength: stacks.length, maxLength: stacks.length }))

describe('findCycle', () => {
  const cycle = (graph: { [node: string]: string[] }) => findCycle(Object.keys(graph), (node) => graph[node] ?? [])

  it('gives the path of a cycle', () => {
    expect(cycle({ a: ['b'], b: ['c'], c: ['a'] })).toEqual(['a', 'b', 'c', 'a'])
    expect(cycle({ x: ['a'], a: ['b'], b: ['a'] })).toEqual(['a', 'b', 'a'])
    expect(cycle({ a: ['a'] })).toEqual(['a', 'a'])
  })

  it('knows a diamond from a cycle, and follows unknown nodes nowhere', () => {
    expect(cycle({ a: ['b', 'c'], b: ['d'], c: ['d'], d: ['elsewhere'] })).toBeNull()
    expect(cycle({})).toBeNull()
  })

  it('survives a chain of 100,000', () => {
    const nodes = Array.from({ length: 100_000 }, (_, i) => String(i))
    expect(findCycle(nodes, (n) => (n === '99999' ? [] : [String(Number(n) + 1)]))).toBeNull()
    expect(findCycle(nodes, (n) => (n === '99999' ? ['0'] : [String(Number(n) + 1)]))).toHaveLength(100_001)
  })

  it('finds none in graphs that have none, and a real one after an edge back is added', () => {
    fc.assert(
      fc.property(acyclic, (stacks) => {
        const graph = new Map(stacks.map((s) => [s.key, s.needs]))
        expect(findCycle(graph.keys(), (n) => graph.get(n) ?? [])).toBeNull()
        const last = stacks.find((s) => s.needs.length > 0)
        if (!last) return
        graph.set(last.needs[0]!, [...(graph.get(last.needs[0]!) ?? []), last.key])
        const found = findCycle(graph.keys(), (n) => graph.get(n) ?? [])!
        expect(found[0]).toBe(found.at(-1))
        for (let i = 1; i < found.length; i++) expect(graph.get(found[i - 1]!)).toContain(found[i])
      }),
    )
  })
})

describe('topological', () => {
  it('is stable and puts what is needed first', () => {
    const stacks = [stack('web', 'net', 'db'), stack('db', 'net'), stack('docs'), stack('net')]
    expect(keys(topological(stacks))).toEqual(['docs', 'net', 'db', 'web'])
    expect(levels(stacks).map(keys)).toEqual([['docs', 'net'], ['db'], ['web']])
  })

  it('takes needs that are not among the stacks as met, and doubled needs as one', () => {
    expect(keys(topological([stack('a', 'gone'), stack('b', 'a', 'a')]))).toEqual(['a', 'b'])
    expect(topological([])).toEqual([])
  })

  it('refuses cycles', () => expect(() => topological([stack('a', 'b'), stack('b', 'a')])).toThrow(RangeError))

  it('keeps every stack once and every need before its user', () => {
    fc.assert(
      fc.property(acyclic, (stacks) => {
        const ordered = keys(topological(stacks))
        expect([...ordered].sort()).toEqual(keys(stacks).sort())
        const place = new Map(ordered.map((key, i) => [key, i]))
        for (const { key, needs } of stacks)
          for (const need of needs) expect(place.get(need)).toBeLessThan(place.get(key)!)
      }),
    )
  })
})

describe('dependantsOf and upstreamOf', () => {
  const stacks = [stack('web', 'db'), stack('db', 'net'), stack('net'), stack('docs')]

  it('are transitive and leave out the start', () => {
    expect(dependantsOf(['net'], stacks)).toEqual(new Set(['db', 'web']))
    expect(upstreamOf(['web'], stacks)).toEqual(new Set(['db', 'net']))
    expect(dependantsOf(['docs'], stacks)).toEqual(new Set())
    expect(dependantsOf(['net', 'db'], stacks)).toEqual(new Set(['db', 'web']))
    expect(upstreamOf(['unknown'], stacks)).toEqual(new Set())
  })

  it('are each other turned round', () => {
    fc.assert(
      fc.property(acyclic, (graph) => {
        for (const { key } of graph)
          for (const dependant of dependantsOf([key], graph)) expect(upstreamOf([dependant], graph)).toContain(key)
      }),
    )
  })

  it('are linear: 20,000 stacks in a chain', () => {
    const chain = Array.from({ length: 20_000 }, (_, i) => stack(`s${i}`, ...(i ? [`s${i - 1}`] : [])))
    const elapsed = stopwatch()
    expect(dependantsOf(['s0'], chain).size).toBe(19_999)
    expect(levels(chain)).toHaveLength(20_000)
    expect(elapsed()).toBeLessThan(2000)
  })
})
