import { expect, test } from 'vitest'
import { escapingLink } from './links.ts'

const escapes = (links: { [path: string]: string }): string | null =>
  escapingLink(new Map(Object.entries(links)))?.path ?? null

test.each([
  [{ a: 'b' }],
  [{ 'd/a': '../b' }],
  [{ 'd/a': './x/../y' }],
  [{ a: 'missing/file' }],
  [{ one: 'two', two: 'three/x' }],
  [{ 'd/up': '..', file: 'd/up/d/up/x' }],
])('%j stays inside', (links) => {
  expect(escapes(links)).toBeNull()
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
  expect(escapes(links as unknown as { [path: string]: string })).toBe(path)
})
