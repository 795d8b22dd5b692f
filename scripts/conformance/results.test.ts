import { expect, it } from 'vitest'
import { type Column, mergeResults } from './results.ts'
import { tableOf } from './table.ts'

const column = (driver: string, set: Column['set'], against: string, more: Partial<Column> = {}): Column => ({
  driver,
  set,
  against,
  day: '2026-11-01',
  exempt: {},
  passed: { heal: true },
  ...more,
})
const named = (columns: readonly Column[]): string[] =>
  columns.map(({ driver, against, day }) => `${driver} ${against} ${day}`)

it('a run takes the place of what the same driver gave on the same set of tools', () => {
  const kept = [
    column('puppet', 'oldest', '7.23'),
    column('puppet', 'newest', '8.9'),
    column('terraform', 'oldest', 'OpenTofu 1.6'),
    column('terraform', 'oldest', 'Terraform 1.11'),
  ]
  const day = '2026-12-01'
  const made = [column('puppet', 'newest', '8.10', { day }), column('terraform', 'oldest', 'OpenTofu 1.6', { day })]
  expect(named(mergeResults(kept, made))).toEqual([
    'puppet 7.23 2026-11-01',
    'puppet 8.10 2026-12-01',
    'terraform OpenTofu 1.6 2026-12-01',
  ])
  expect(mergeResults(kept, [])).toEqual(kept)
})

it('what has no newer version stands in the table once', () => {
  const made = [column('terraform', 'oldest', 'Terraform 1.11'), column('terraform', 'newest', 'Terraform 1.11')]
  expect(mergeResults([], made)).toEqual([made[0]])
})

it('the table says what does not hold, what was not asked and why, and when', () => {
  const table = tableOf([
    column('a', 'oldest', 'one', { passed: { heal: true, destroy: false } }),
    column('b', 'newest', 'two', { exempt: { heal: 'it has no state' }, passed: {} }),
  ])
  const lines = table.split('\n')
  expect(lines.slice(2, 4)).toEqual(['| against | one | two |', '| run on | 2026-11-01 | 2026-11-01 |'])
  expect(lines.find((line) => line.includes('(heal)'))).toMatch(/\| yes \| – <sup>1<\/sup> \|$/)
  expect(lines.find((line) => line.includes('(destroy)'))).toMatch(/\| \*\*no\*\* \| not run \|$/)
  expect(lines.at(-1)).toBe('1. `b`, heal: it has no state.')
})
