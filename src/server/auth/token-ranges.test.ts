import { describe, expect, it } from 'vitest'
import { isGoodFrom, rangeOf } from './token-ranges.ts'

describe('ranges of a token', () => {
  it.each([
    ['from:10.0.0.0/8', '10.255.0.1', true],
    ['from:10.0.0.0/8', '11.0.0.1', false],
    ['from:10.0.0.0/8', '::ffff:10.1.2.3', true],
    ['from:10.0.0.0/8', '::ffff:11.1.2.3', false],
    ['from:192.0.2.7', '192.0.2.7', true],
    ['from:192.0.2.7', '192.0.2.8', false],
    ['from:0.0.0.0/0', '203.0.113.9', true],
    ['from:0.0.0.0/0', '2001:db8::1', false],
    ['from:2001:db8::/32', '2001:db8:1::5', true],
    ['from:2001:db8::/32', '2001:db9::5', false],
    ['from:2001:DB8::1', '2001:db8:0:0::1', true],
    ['from:fe80::/10', 'fe80::1%eth0', true],
    // An address that is none comes from nowhere.
    ['from:0.0.0.0/0', '', false],
    ['from:::/0', 'unknown', false],
  ])('%s and %s: %s', (scope, address, good) => {
    expect(rangeOf(scope)).not.toBeNull()
    expect(isGoodFrom(['write', 'repo:shop', scope], address)).toBe(good)
  })

  it('takes one of several, and everything where there is none', () => {
    const scopes = ['read', 'from:10.0.0.0/8', 'from:2001:db8::/32']
    expect([
      isGoodFrom(scopes, '10.1.1.1'),
      isGoodFrom(scopes, '2001:db8::1'),
      isGoodFrom(scopes, '192.0.2.1'),
    ]).toEqual([true, true, false])
    expect(isGoodFrom(['read'], '192.0.2.1')).toBe(true)
  })

  it.each([
    '10.0.0.0/33',
    '10.0.0/8',
    '10.0.0.0/',
    '2001:db8::/129',
    'example.org',
    '10.0.0.0/8/8',
    '',
    '10.0.0.0-10.0.0.9',
  ])('is not %j', (text) => {
    expect(rangeOf(`from:${text}`)).toBeNull()
  })
})
