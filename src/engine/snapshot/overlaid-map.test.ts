import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { changedKeys, overlaid } from './overlaid-map.ts'

const KEYS = 200
const start = new Map(Array.from({ length: KEYS }, (_, key) => [key, 'first']))
/** Up to many more changes than any layer holds. */
const steps = fc.array(fc.array(fc.nat(KEYS - 1), { minLength: 1, maxLength: 90 }), { minLength: 1, maxLength: 12 })

describe('an overlaid map', () => {
  it('is what a copy with the changes would be, in the same order, and leaves the earlier ones as they were', () => {
    fc.assert(
      fc.property(steps, (changes) => {
        let map: ReadonlyMap<number, string> = start
        let copy = new Map(start)
        const earlier: [ReadonlyMap<number, string>, [number, string][]][] = []
        for (const [step, keys] of changes.entries()) {
          const values = new Map(keys.map((key) => [key, `step ${step}`]))
          earlier.push([map, [...copy]])
          map = overlaid(map, values)
          copy = new Map([...copy, ...values])
          expect([...map]).toEqual([...copy])
        }
        expect([...map.entries()]).toEqual([...copy.entries()])
        expect([...map.keys()]).toEqual([...copy.keys()])
        expect([...map.values()]).toEqual([...copy.values()])
        const visited: [number, string][] = []
        map.forEach((value, key) => visited.push([key, value]))
        expect(visited).toEqual([...copy])
        expect(map.size).toBe(KEYS)
        for (const [old, entries] of earlier) expect([...old]).toEqual(entries)
      }),
    )
  })

  it('knows which keys can differ between two of one base, and never leaves one out', () => {
    fc.assert(
      fc.property(steps, fc.nat(), fc.nat(), (changes, a, b) => {
        const maps: ReadonlyMap<number, string>[] = [start]
        for (const [step, keys] of changes.entries())
          maps.push(overlaid(maps.at(-1)!, new Map(keys.map((key) => [key, `step ${step}`]))))
        const [first, second] = [maps[a % maps.length]!, maps[b % maps.length]!]
        const known = changedKeys(first, second)
        if (known === null) return
        for (const key of first.keys()) if (first.get(key) !== second.get(key)) expect(known).toContain(key)
      }),
    )
  })

  it('of another base says nothing', () => {
    expect(changedKeys(start, new Map(start))).toBeNull()
    expect(changedKeys(overlaid(start, new Map([[1, 'x']])), overlaid(new Map(start), new Map([[1, 'y']])))).toBeNull()
  })

  it('with more changes than it keeps is a plain map again', () => {
    const large = new Map(Array.from({ length: 6_000 }, (_, key) => [key, 0]))
    const all = new Map([...large.keys()].map((key) => [key, 1]))
    const result = overlaid(large, all)
    expect(result).toBeInstanceOf(Map)
    expect([...result.values()].every((value) => value === 1)).toBe(true)
  })
})
