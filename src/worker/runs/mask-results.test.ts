import { expect, test } from 'vitest'
import type { ApplyResult, DriverPlan } from '../../domain/plans/plan.ts'
import type { Json } from '../../lib/json.ts'
import { maskPlan, maskResult, withoutSecrets } from './mask-results.ts'
import { createMasker } from './masking.ts'

const HASH = `hmac:${'0'.repeat(32)}`

const plan: DriverPlan = {
  changes: [
    {
      address: 'file.s3cret',
      type: 'file',
      actions: ['update'],
      attributes: [{ path: 'content', before: 'update', after: { deep: ['has s3cret'] } }],
      cause: 'drift',
      reason: 'because of s3cret',
    },
  ],
  coverage: { checked: 1, unchecked: [{ address: 'x', why: 'no s3cret' }] },
  outputs: {
    open: { value: 'plain', sensitive: false },
    slipped: { value: { url: 'https://u:s3cret@host' }, sensitive: false },
    hashed: { value: HASH, sensitive: true },
    marked: { value: 'other', sensitive: true },
    later: { value: null, sensitive: false, unknown: true },
  },
  findings: [{ severity: 'error', message: 's3cret is bad' }],
  toolVersions: { tool: '1.0' },
}
const result: ApplyResult = {
  status: 'failed',
  resources: [{ address: 'a', actions: ['update'], status: 'failed', message: 'it said s3cret' }],
  outputs: { slipped: { value: 's3cret', sensitive: false } },
  findings: [{ severity: 'error', message: 's3cret' }],
}

function maskerOf(...secrets: string[]) {
  const masker = createMasker()
  for (const secret of secrets) masker.add(secret)
  return masker
}

test('no secret leaves in a plan, and sensitive outputs leave as hashes', () => {
  const masked = maskPlan(plan, maskerOf('s3cret'), { hash: () => HASH })
  expect(JSON.stringify(masked)).not.toContain('s3cret')
  expect(masked.outputs).toEqual({
    open: { value: 'plain', sensitive: false },
    slipped: { value: HASH, sensitive: true },
    hashed: { value: HASH, sensitive: true },
    marked: { value: HASH, sensitive: true },
    later: { value: null, sensitive: false, unknown: true },
  })
  expect(maskResult(result, maskerOf('s3cret'))).toMatchObject({
    resources: [{ message: 'it said ***' }],
    findings: [{ message: '***' }],
    // Other stacks need it; sealed, and shown to nobody.
    outputs: { slipped: { value: 's3cret', sensitive: true } },
  })
})

test('words of the protocol are no secrets, though they may be the value of one', () => {
  const masker = maskerOf('update', 'drift', 'error', 'failed')
  expect(maskPlan(plan, masker, { hash: () => HASH })).toMatchObject({
    changes: [{ actions: ['update'], cause: 'drift', attributes: [{ before: HASH, after: HASH, sensitive: true }] }],
    findings: [{ severity: 'error' }],
  })
  expect(maskResult(result, masker)).toMatchObject({
    status: 'failed',
    resources: [{ actions: ['update'], status: 'failed' }],
    findings: [{ severity: 'error' }],
  })
})

test('where one side of an attribute is built from a secret, both are hidden, and a side that is not there stays so', () => {
  const masked = (before: Json | undefined, after: Json | undefined) => {
    const attribute = {
      path: 'content',
      ...(before !== undefined && { before }),
      ...(after !== undefined && { after }),
    }
    const changes = [{ ...plan.changes[0]!, attributes: [attribute] }]
    return maskPlan({ ...plan, changes }, maskerOf('s3cret', '12345678', 'pin'), {
      hash: (value) => `${HASH}${typeof value}`,
    }).changes[0]!.attributes[0]
  }
  const hidden = `${HASH}string`
  expect(masked('t=old', 't=s3cret')).toEqual({ path: 'content', before: hidden, after: hidden, sensitive: true })
  expect(masked('t=s3cret', 't=')).toEqual({ path: 'content', before: hidden, after: hidden, sensitive: true })
  expect(masked(null, Buffer.from('s3cret-and-more').toString('base64'))).toMatchObject({ before: null, after: hidden })
  expect(masked('s3cret', undefined)).toEqual({ path: 'content', before: hidden, sensitive: true })
  expect(masked({ s3cret: 1 }, {})).toMatchObject({ sensitive: true, after: `${HASH}object` })
  expect(masked(12345678, 1)).toMatchObject({ sensitive: true, before: `${HASH}number` })
  expect(masked('pin', 'pinned')).toMatchObject({ sensitive: true, after: hidden })
  expect(masked('pinned', 'pins')).toEqual({ path: 'content', before: 'pinned', after: 'pins' })
})

test('what a driver calls sensitive leaves as hashes, whatever it put there', () => {
  const attributes = [{ path: 'p', before: HASH, after: 'in clear', sensitive: true }]
  const masked = maskPlan({ ...plan, changes: [{ ...plan.changes[0]!, attributes }] }, maskerOf(), {
    hash: () => 'hashed',
  })
  expect(masked.changes[0]!.attributes).toEqual([{ path: 'p', before: HASH, after: 'hashed', sensitive: true }])
})

test('names of outputs and keys of objects are texts like any other', () => {
  const outputs = { s3cret_url: { value: 1, sensitive: false } }
  const masked = maskPlan({ ...plan, outputs, toolVersions: { 'of s3cret': '1' } }, maskerOf('s3cret'), {
    hash: () => HASH,
  })
  expect([Object.keys(masked.outputs), Object.keys(masked.toolVersions)]).toEqual([['***_url'], ['of ***']])
  expect(Object.keys(maskResult({ ...result, outputs }, maskerOf('s3cret')).outputs)).toEqual(['***_url'])
})

test('a file that holds a secret is not proposed to Git, and named', () => {
  const patches = [
    { path: 'app/.env', content: Buffer.from('TOKEN=s3cret\n') },
    { path: 'app/port', content: Buffer.from('80\n') },
    { path: 'app/gone', content: null },
  ]
  const leftOut: string[] = []
  const kept = withoutSecrets(patches, maskerOf('s3cret'), (path) => leftOut.push(path))
  expect(kept.map(({ path }) => path)).toEqual(['app/port', 'app/gone'])
  expect(leftOut).toEqual(['app/.env'])
})

test('tells how many lines of a secret text change, and shows them without the secret where that is asked', () => {
  const attributes = [
    { path: 'content', before: 'a\nt=old s3cret\nz\n', after: 'a\nt=s3cret\nz\n' },
    { path: 'key', before: 'BEGIN\nx\n', after: 'BEGIN\ny\n', sensitive: true },
    { path: 'line', after: 's3cret' },
    { path: 'open', after: 'two\nlines\n' },
  ]
  const shown = (showSecretDiff: boolean) => {
    const of = { ...plan, changes: [{ ...plan.changes[0]!, attributes }] }
    const masked = maskPlan(of, maskerOf('s3cret'), { hash: () => HASH, showSecretDiff })
    return masked.changes[0]?.attributes.map((attribute) => attribute.shown)
  }
  expect(shown(false)).toEqual([
    '3 lines: 1 written, 1 taken away',
    '2 lines: 1 written, 1 taken away',
    undefined,
    undefined,
  ])
  expect(shown(true)).toEqual([' a\n-t=old ***\n+t=***\n z', '2 lines: 1 written, 1 taken away', undefined, undefined])
})
