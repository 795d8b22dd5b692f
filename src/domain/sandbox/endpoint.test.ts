import { expect, test } from 'vitest'
import { isAllowed, parseEndpoint } from './endpoint.ts'

test.each([
  ['registry.opentofu.org:443', { host: 'registry.opentofu.org', port: 443, anyBelow: false }],
  ['Registry.OpenTofu.org:443', { host: 'registry.opentofu.org', port: 443, anyBelow: false }],
  ['*.amazonaws.com:443', { host: 'amazonaws.com', port: 443, anyBelow: true }],
  ['10.0.0.7:22', { host: '10.0.0.7', port: 22, anyBelow: false }],
  ['[fd00::7]:6443', { host: 'fd00::7', port: 6443, anyBelow: false }],
])('%s is a place to connect to', (text, endpoint) => expect(parseEndpoint(text)).toEqual(endpoint))

test.each([
  'example.org',
  'example.org:',
  'example.org:0',
  'example.org:65536',
  '*:443',
  '*.org:443',
  'a..b:1',
  '-a.b:1',
  'https://example.org:443',
  'a b:1',
  'a*.b.c:1',
  '*.*.c.d:1',
  '::1:80',
  '',
  ':80',
  `${'a'.repeat(64)}.org:1`,
  `${'a.'.repeat(130)}org:1`,
  'example.org:44x',
  'user@example.org:443',
])(
  // biome-ignore format: a list
  'and %j is none',
  (text) => expect(parseEndpoint(text)).toBeNull(),
)

test('a name is allowed with its port, and a star means names below', () => {
  const allowed = ['example.org:443', '*.example.net:8443'].map((text) => parseEndpoint(text)!)
  expect(isAllowed('example.org', 443, allowed)).toBe(true)
  expect(isAllowed('example.org', 80, allowed)).toBe(false)
  expect(isAllowed('a.example.org', 443, allowed)).toBe(false)
  expect(isAllowed('a.b.example.net', 8443, allowed)).toBe(true)
  expect(isAllowed('example.net', 8443, allowed)).toBe(false)
  expect(isAllowed('badexample.net', 8443, allowed)).toBe(false)
  expect(isAllowed('example.net.evil.org', 8443, allowed)).toBe(false)
})
