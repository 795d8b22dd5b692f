import { expect, it } from 'vitest'
import type { CommitSignature } from './signature.ts'
import { type Signer, sshFingerprint } from './signers.ts'
import { judgeSignature } from './verdict.ts'

const day = (text: string): number => Date.parse(text)
const NOW = day('2026-11-30')
const ADA: Signer = {
  name: 'ada',
  key: 'SHA256:a',
  from: null,
  until: null,
  revoked: null,
  left: null,
  where: 'server',
}
const good = (key = 'SHA256:a'): CommitSignature => ({ status: 'good', format: 'ssh', signer: 'ada', key })
const judge = (signer: Partial<Signer>, committedAt: number, knownAt = NOW, found = good()) =>
  judgeSignature(found, [{ ...ADA, ...signer }], { committedAt, knownAt })

it.each<[string, Partial<Signer>, string, string, string | null]>([
  ['within its time', { from: day('2026-01-01'), until: day('2027-01-01') }, '2026-11-01', '2026-11-30', null],
  ['before the key counts', { from: day('2026-01-01') }, '2025-11-01', '2026-11-30', 'SIGNER_EXPIRED'],
  ['after the key has ended', { until: day('2026-01-01') }, '2026-02-01', '2026-11-30', 'SIGNER_EXPIRED'],
  [
    'dated back, and brought after the key has ended',
    { until: day('2026-01-01') },
    '2025-02-01',
    '2026-11-30',
    'SIGNER_EXPIRED',
  ],
  ['merged before the key has ended', { until: day('2026-01-01') }, '2025-02-01', '2025-02-02', null],
  ['before the person left', { left: day('2026-01-01') }, '2025-02-01', '2025-02-02', null],
  ['after the person left', { left: day('2026-01-01') }, '2025-02-01', '2026-02-02', 'SIGNER_EXPIRED'],
  ['before the theft', { revoked: day('2026-01-01') }, '2025-02-01', '2025-02-02', null],
  ['after the theft, dated back', { revoked: day('2026-01-01') }, '2025-02-01', '2026-02-02', 'SIGNER_REVOKED'],
  ['by a key that never counts', { revoked: 0 }, '2025-02-01', '2025-02-02', 'SIGNER_REVOKED'],
])('judges what was signed %s', (_name, signer, committed, known, code) => {
  expect(judge(signer, day(committed), day(known))).toMatchObject({ accepted: code === null, code })
})

it('takes a key that stands twice where one of its times fits, and where it is revoked nowhere', () => {
  const times = { committedAt: day('2026-06-01'), knownAt: NOW }
  const [early, late] = [
    { ...ADA, until: day('2026-01-01') },
    { ...ADA, from: day('2026-05-01') },
  ]
  expect(judgeSignature(good(), [early, late], times).accepted).toBe(true)
  expect(judgeSignature(good(), [early, late, { ...ADA, revoked: 0 }], times).code).toBe('SIGNER_REVOKED')
})

it('takes an expired OpenPGP key for what it signed before, and no expired signature', () => {
  const found: CommitSignature = { status: 'expired', format: 'gpg', key: 'A', subkey: 'B', keyExpired: true }
  const signer = { key: 'A', expiries: { A: null, B: day('2026-03-01') } }
  expect(judge(signer, day('2026-02-01'), NOW, found).accepted).toBe(true)
  expect(judge(signer, day('2026-04-01'), NOW, found).code).toBe('SIGNER_EXPIRED')
  const { keyExpired: _, ...ended } = found as typeof found & { keyExpired: true }
  expect(judge(signer, day('2026-02-01'), NOW, ended as CommitSignature).code).toBe('SIGNER_EXPIRED')
})

it('knows nobody by another key, and believes nothing that does not fit', () => {
  expect(judge({}, NOW, NOW, good('SHA256:b'))).toMatchObject({ code: 'SIGNER_UNKNOWN', key: 'SHA256:b' })
  expect(judge({}, NOW, NOW, { status: 'bad', format: 'ssh', key: 'SHA256:a' }).code).toBe('SIGNATURE_INVALID')
  expect(judge({}, NOW, NOW, { status: 'none' }).code).toBe('COMMIT_UNSIGNED')
})

it('knows the fingerprint that ssh-keygen prints', () => {
  const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFoBYA9+YCRB5h4ry76bWRWT47fi8rbZJ/Htp9rylYhF'
  expect(sshFingerprint(key)).toBe('SHA256:hqCH2exBbrRjCo8EI72sAxiCIReQE6YOsV7l6u1DMTk')
})
