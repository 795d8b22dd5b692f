import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sidebarOf } from './contents.ts'
import { foreignRequests } from './foreign.ts'
import { relinked } from './links.ts'
import { writeSources } from './sources.ts'

let work: string

beforeAll(() => {
  work = mkdtempSync(join(tmpdir(), 'trueup-site-'))
})
afterAll(() => rmSync(work, { recursive: true, force: true }))

it('the sidebar is the table of contents, each page once', () => {
  const contents =
    '# All\n\n## Concepts\n\n| [One](concepts/one.md), [two](two.md#a) | x |\n\n## More\n\n[Again](two.md), [`three`](a/README.md), [some.yaml](four.md), [out](../X.md)\n\n## Empty\n'
  expect(sidebarOf(contents)).toEqual([
    {
      text: 'Concepts',
      items: [
        { text: 'One', link: '/concepts/one' },
        { text: 'Two', link: '/two' },
      ],
    },
    {
      text: 'More',
      items: [
        { text: 'Three', link: '/a/' },
        { text: 'some.yaml', link: '/four' },
      ],
    },
  ])
})

describe('links', () => {
  const pages = new Map([
    ['docs/a/b.md', 'a/b.md'],
    ['docs/README.md', 'index.md'],
    ['examples/web', 'examples/web.md'],
  ])
  const at = (text: string) => relinked(text, { path: 'docs/a/c.md', target: 'a/c.md', pages })

  it.each([
    ['[b](b.md#x)', '[b](./b.md#x)'],
    ['[all](../README.md)', '[all](../index.md)'],
    ['[web](../../examples/web/)', '[web](../examples/web.md)'],
    ['[code](../../src/x.ts)', 'code'],
    ['[`code`](../../src/x.ts) and [b](b.md)', '`code` and [b](./b.md)'],
    ['[out](https://example.org/x.md), [here](#there)', '[out](https://example.org/x.md), [here](#there)'],
    ['`[b](b.md)`', '`[b](b.md)`'],
    ['```\n[b](b.md)\n```', '```\n[b](b.md)\n```'],
  ])('%s', (text, wanted) => {
    expect(at(text)).toBe(wanted)
  })
})

it('has every page of the documentation, and the examples that it links', () => {
  writeSources(join(import.meta.dirname, '..', '..'), work)
  const page = (name: string) => readFileSync(join(work, name), 'utf8')
  expect(page('index.md')).toContain('(./concepts/drift.md)')
  expect(page('drivers/terraform.md')).toContain('(../examples/terraform.md)')
  expect(page('examples/terraform.md')).toMatch(/^## trueup\.yaml\n\n```yaml\n/m)
  for (const [, target] of page('index.md').matchAll(/\]\(\.\/([^)#]+\.md)/g)) expect(page(target!)).not.toBe('')
})

it('asks nobody else for anything', () => {
  const dist = join(work, 'dist')
  mkdirSync(dist)
  writeFileSync(
    join(dist, 'own.html'),
    '<script src="/x.js"></script><a href="https://example.org">x</a><link rel="icon" href="/i">',
  )
  expect(foreignRequests(dist)).toEqual([])
  writeFileSync(
    join(dist, 'a.html'),
    '<img alt="" src="https://example.org/i.png"><link rel="stylesheet" href="//example.org/s">',
  )
  writeFileSync(
    join(dist, 'b.css'),
    '@import "https://example.org/t.css"; a { background: url(https://example.org/u.png) }',
  )
  expect(foreignRequests(dist)).toEqual([
    '//example.org/s (a.html)',
    'https://example.org/i.png (a.html)',
    'https://example.org/t.css (b.css)',
    'https://example.org/u.png (b.css)',
  ])
})
