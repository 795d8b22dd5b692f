import { expect, test } from 'vitest'
import { escapingLinks, refuseEscapingLinks } from './links.ts'

const escapes = (links: { [path: string]: string }): string[] =>
  escapingLinks(new Map(Object.entries(links))).map(({ path }) => path)

test.each([
  [{ a: 'b' }],
  [{ 'd/a': '../b' }],
  [{ 'd/a': './x/../y' }],
  [{ a: 'missing/file' }],
  [{ one: 'two', two: 'three/x' }],
  [{ 'd/up': '..', file: 'd/up/d/up/x' }],
])('%j stays inside', (links) => {
  expect(escapes(links)).toEqual([])
})

test.each([
  [{ a: '/etc/passwd' }, 'a'],
  [{ a: '..' }, 'a'],
  [{ 'd/a': '../../x' }, 'd/a'],
  [{ a: '' }, 'a'],
  [{ a: '.git/config' }, 'a'],
  // By its letters x/y/d/../.. is x; by way of the symlink d it is above the root.
  [{ 'x/y/d': '../../t', sly: 'x/y/d/../..' }, 'sly'],
  [{ loop: 'loop/x' }, 'loop'],
  [{ a: 'b', b: 'a' }, 'a'],
])('%j leads out by %s', (links, path) => {
  expect(escapes(links as unknown as { [path: string]: string })).toContain(path)
})

test('all that lead out are named at once', () => {
  const links = new Map([
    ['sites/a', '/etc/a'],
    ['sites/b', '../../b'],
    ['inside', 'sites'],
  ])
  const why = '2 symlinks point outside: sites/a → "/etc/a", sites/b → "../../b"'
  expect(() => refuseEscapingLinks(links, 'looking')).toThrow(why)
})
