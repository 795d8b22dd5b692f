import { createHmac } from 'node:crypto'
import { expect, it } from 'vitest'
import { deliveryOf } from './webhooks.ts'

const SECRET = 'its secret'
const body = '{"action":"opened"}'
const signature = `sha256=${createHmac('sha256', SECRET).update(body).digest('hex')}`
const headers = { 'x-github-delivery': '72d3162e', 'x-hub-signature-256': signature }
const isOf = (its: { [name: string]: string }, text = body, secret = SECRET) =>
  deliveryOf(its, Buffer.from(text))?.isOf(secret) ?? null

it('takes a delivery that was signed with its secret, and no other', () => {
  expect(isOf(headers)).toBe(true)
  expect(isOf(headers, `${body} `)).toBe(false)
  expect(isOf(headers, body, 'another')).toBe(false)
})

it.each([
  '',
  signature.slice(7),
  signature.replace('sha256', 'sha1'),
  `${signature}00`,
  'sha256=',
  signature.toUpperCase(),
])('takes none that is signed with %j', (wrong) => {
  expect(isOf({ ...headers, 'x-hub-signature-256': wrong })).toBe(false)
})

it('is none without its headers', () => {
  expect(isOf({ 'x-github-delivery': 'x' })).toBeNull()
  expect(isOf({ 'x-hub-signature-256': signature })).toBeNull()
  expect(isOf({ ...headers, 'x-github-delivery': 'x'.repeat(101) })).toBeNull()
})
