import { expect, it } from 'vitest'
import { quiet } from './quiet.ts'

it.each([
  ['/merge', '\u200b/merge'],
  ['Well:\n/approve\n/close', 'Well:\n\u200b/approve\n\u200b/close'],
  ['a\r\n /label ~x\r/assign @a', 'a\r\n \u200b/label ~x\r\u200b/assign @a'],
  ['\t\u00a0/lock\u2028/unlock', '\t\u00a0\u200b/lock\u2028\u200b/unlock'],
  ['\n\n/', '\n\n\u200b/'],
  ['see a/b and /c', 'see a/b and /c'],
])('makes text of %j', (text, expected) => {
  expect(quiet(text)).toBe(expected)
  expect(quiet(expected)).toBe(expected)
})
