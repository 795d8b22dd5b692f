import { expect, test } from 'vitest'
import type { AuditBreak } from '../domain/audit.ts'
import { exportText, verdictText } from './audit-text.ts'

const HOUR = 3_600_000
const whole = { ok: true, count: 9, checkpoints: 2, breaks: [], total: 0, reseals: [], archived: null }
const forked: AuditBreak = { seq: 7, kind: 'forked', why: 'it does not follow', at: 2 * HOUR, after: HOUR }
const reseal = { seq: 9, at: 3 * HOUR, actor: 'user:1', actorName: 'ada', reason: 'a race', breaks: [forked], total: 1 }

test('a whole chain', () => {
  expect(verdictText(whole)).toBe('The chain of 9 events is whole (signed checkpoints that agree: 2).')
})

test('a broken chain: since when, of what kind, and how it goes on', () => {
  const text = verdictText({ ...whole, ok: false, count: 6, firstBad: forked, breaks: [forked], total: 3 })
  expect(text).toContain('broken at event 7 (forked): it does not follow.')
  expect(text).toContain('Since 1970-01-01T02:00:00Z; the event before it is of 1970-01-01T01:00:00Z.')
  expect(text).toContain('6 events before it are in order; 3 places are broken in all.')
  expect(text).toContain('trueup audit reseal --reason')
})

test('a missing event has no time of its own', () => {
  const missing: AuditBreak = { ...forked, kind: 'missing', at: null }
  const text = verdictText({ ...whole, ok: false, count: 6, firstBad: missing, breaks: [missing], total: 1 })
  expect(text).toContain('Since after 1970-01-01T01:00:00Z.')
  const first = { ...missing, after: null }
  expect(verdictText({ ...whole, ok: false, count: 0, firstBad: first, breaks: [first], total: 1 })).not.toContain(
    'Since',
  )
})

test('a chain that goes on behind named breaks', () => {
  const text = verdictText({ ...whole, reseals: [reseal] })
  expect(text).toContain('The chain of 9 events is sound, with a named break at 7')
  expect(text).toContain('named by event 9 of 1970-01-01T03:00:00Z by ada: a race')
  expect(verdictText({ ...whole, reseals: [{ ...reseal, total: 4 }, reseal] })).toContain(
    '5 named breaks, the first at 7',
  )
})

test('a chain that goes on behind an archive, whole or broken', () => {
  const archived = { through: 40, parts: 1 }
  const line = 'It goes on from event 40, the last that left the database (1 archive, signed)'
  expect(verdictText({ ...whole, archived })).toContain(line)
  expect(verdictText({ ...whole, archived, ok: false, firstBad: forked, breaks: [forked], total: 1 })).toContain(line)
})

test('an export against its checkpoint', () => {
  const good = { ok: true, fromSeq: 5, through: 9, count: 5, before: 4, after: 2, breaks: [], total: 0 }
  const text = exportText(good)
  expect(text).toContain('The 5 events from 5 to 9 are those that were signed.')
  expect(text).toContain('The 4 events before them')
  expect(text).toContain('2 events behind them')
  const bad = exportText({ ...good, before: 0, after: 0, ok: false, breaks: [forked], total: 2 })
  expect(bad).toBe(
    'The events are not those that were signed: event 7 (forked): it does not follow.\n2 places are wrong in all.',
  )
})
