import { expect, test } from 'vitest'
import type { ApplyResult, DriverPlan } from '../../domain/plans/plan.ts'
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
  const masked = maskPlan(plan, maskerOf('s3cret'), () => HASH)
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
  expect(maskPlan(plan, masker, () => HASH)).toMatchObject({
    changes: [{ actions: ['update'], cause: 'drift', attributes: [{ before: '***' }] }],
    findings: [{ severity: 'error' }],
  })
  expect(maskResult(result, masker)).toMatchObject({
    status: 'failed',
    resources: [{ actions: ['update'], status: 'failed' }],
    findings: [{ severity: 'error' }],
  })
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
