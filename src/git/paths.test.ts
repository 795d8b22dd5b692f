import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodePath, encodePath, isSafeName } from './paths.ts'

test('any bytes survive as text and come back, also through JSON', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      const text = decodePath(Buffer.from(bytes))
      expect(text.isWellFormed()).toBe(true)
      expect(encodePath(JSON.parse(JSON.stringify(text)) as string)).toEqual(Buffer.from(bytes))
    }),
    { numRuns: 1000 },
  )
})

test('valid UTF-8 is itself, and a literal replacement character cannot pose as an escaped byte', () => {
  expect(decodePath(Buffer.from('häuser/日本 🏠'))).toBe('häuser/日本 🏠')
  expect(decodePath(Buffer.from([0x61, 0xff, 0x62]))).toBe('a\ufffdFFb')
  expect(decodePath(Buffer.from('a\ufffdFFb'))).not.toBe('a\ufffdFFb')
})

test.each(['', '.', '..', '.git', '.GIT', 'a/b', 'a\0b'])('%j is no safe name', (name) => {
  expect(isSafeName(name)).toBe(false)
})
