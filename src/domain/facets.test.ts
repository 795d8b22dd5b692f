import { expect, it } from 'vitest'
import { parseCodeOwners } from './gates/code-owners.ts'
import { facetsOf, toolFacets, wordsOf } from './facets.ts'

const owners = parseCodeOwners(`
* @everyone
/apps/ @org/platform ada@example.org
/apps/web/ @ada @ada
/apps/web/*.md @writers
^[Optional]
/apps/ @asked-nobody
[Security] @@security
/secrets
`)
const of = (path: string, labels?: { [name: string]: string }) =>
  wordsOf(facetsOf({ path, ...(labels && { labels }) }, owners))

it('gives the owners of a directory, by the last rule of each section, as they are written', () => {
  expect(of('apps/web')).toEqual(['@ada'])
  expect(of('apps/shop')).toEqual(['@org/platform', 'ada@example.org'])
  expect(of('secrets')).toEqual(['@everyone', '@team/security'])
  expect(of('.')).toEqual(['@everyone'])
  expect(wordsOf(facetsOf({ path: 'apps/web' }, null))).toEqual([])
  expect(wordsOf(null)).toEqual([])
})

it('adds labels, and tools in the same form', () => {
  expect(of('apps/web', { tier: 'web', 'example.org/cost': 'eu' })).toEqual(['@ada', 'example.org/cost=eu', 'tier=web'])
  expect(toolFacets({ tofu: '1.12.6', 'a tool': '1 beta' })).toBe(' a_tool@1_beta tofu@1.12.6 ')
})

it('stays short enough for an index, and ends at a word', () => {
  const labels = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`label${i}`, 'x'.repeat(100)]))
  const facets = facetsOf({ path: 'apps/web', labels }, owners)
  expect(facets.length).toBeLessThanOrEqual(1_000)
  expect(wordsOf(facets).every((word) => word === '@ada' || /^label\d+=x{100}$/.test(word))).toBe(true)
})
