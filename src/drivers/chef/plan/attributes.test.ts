import { expect, test } from 'vitest'
import type { Entry } from '../tool/report.ts'
import { attributesOf } from './attributes.ts'

const entry = (given: Partial<Entry>): Entry => ({
  resource: 'x[y]',
  type: 'x',
  name: 'y',
  action: 'create',
  depth: 0,
  status: 'updated',
  updates: [],
  sensitive: false,
  cookbook: 'app',
  recipe: 'default',
  source_line: '',
  wanted: {},
  before: {},
  after: {},
  guarded: false,
  guards: false,
  why_run: true,
  ignored: false,
  ...given,
})

test('converge_if_changed tells each property, before and after, as Ruby inspects them', () => {
  const { action, attributes } = attributesOf(
    entry({
      type: 'site',
      updates: [
        'update y',
        '  set port    to 80 (was 81)',
        '  set aliases to ["a", "b"] (was nil)',
        '  set title   to "a (was b)" (was "c\\n")',
        '  set token   to (suppressed sensitive property)',
      ],
      before: { token: { redacted: 'old' } },
      wanted: { token: { redacted: 'new' } },
    }),
  )
  expect(action).toBe('update')
  expect(attributes).toEqual([
    { path: 'port', before: 81, after: 80 },
    { path: 'aliases', before: null, after: ['a', 'b'] },
    { path: 'title', before: 'c\n', after: 'a (was b)' },
    { path: 'token', sensitive: true, before: { redacted: 'old' }, after: { redacted: 'new' } },
  ])
})

test('what converge_if_changed makes is a creation with its properties', () => {
  const told = attributesOf(
    entry({ type: 'site', updates: ['create y', '  set port to 80', '  set mode to :fast (default value)'] }),
  )
  expect(told).toEqual({
    action: 'create',
    attributes: [
      { path: 'port', after: 80 },
      { path: 'mode', after: ':fast' },
    ],
  })
})

test('a user is told by attribute, and its password as hashes only', () => {
  const { attributes } = attributesOf(
    entry({
      type: 'user',
      updates: [
        'alter user bob',
        'change shell from /bin/sh to /bin/bash',
        'change password from [suppressed] to [suppressed]',
      ],
      before: { password: { redacted: 'old' } },
      wanted: { password: { redacted: 'new' } },
    }),
  )
  expect(attributes).toEqual([
    { path: 'shell', before: '/bin/sh', after: '/bin/bash' },
    { path: 'password', sensitive: true, before: { redacted: 'old' }, after: { redacted: 'new' } },
  ])
})
