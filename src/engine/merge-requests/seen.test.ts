import { describe, expect, it } from 'vitest'
import { asTrueupError } from '../../lib/errors/error.ts'
import type { MergeRequest } from '../../store/changes/merge-requests.ts'
import { assertSeen, namedHead } from './seen.ts'

const HEAD = '3f2a90c1d2e3f405162738495a6b7c8d9e0f1a2b'
const mr = { number: 7, headOid: HEAD, sourceBranch: 'change' } as MergeRequest

/** What a refusal says, for people and for programs. */
function refusal(work: () => void) {
  try {
    work()
  } catch (error) {
    return asTrueupError(error, 'testing').toJSON()
  }
  throw new Error('nothing was refused')
}

describe('the head that an approval names', () => {
  it.each([
    ['whole', HEAD, HEAD],
    ['by its first digits', HEAD.slice(0, 7), HEAD],
    ['in capitals, with a space', ` ${HEAD.slice(0, 12).toUpperCase()} `, HEAD],
    ['another one', 'ffffffff', 'ffffffff'],
    ['longer than it is', `${HEAD}0`, `${HEAD}0`],
  ])('may be written %s', (_how, named, meant) => {
    expect(namedHead(mr, named)).toBe(meant)
  })

  it.each(['', HEAD.slice(0, 6), 'main', 'HEAD~1', `${HEAD.slice(0, 8)}..`, 'x'.repeat(500)])(
    'is a commit id and not %j',
    (named) => {
      expect(refusal(() => void namedHead(mr, named))).toMatchObject({
        code: 'INVALID_REQUEST',
        next: expect.stringContaining('40 hex digits'),
      })
    },
  )

  it('is said beside the one that there is, where they differ', () => {
    const seen = { head: 'ffffffff', digests: {} }
    expect(refusal(() => assertSeen(mr, { digests: {}, files: {} }, seen))).toMatchObject({
      code: 'MR_MOVED',
      why: expect.stringMatching(/is 3f2a90c1d2, and .* ffffffff$/),
    })
  })
})

describe('an approval', () => {
  const current = { digests: { 'production/a': 'sha256:1' }, files: {} }
  const seen = { head: HEAD, digests: { 'production/a': 'sha256:1' } }

  it.each([
    ['the head', { digests: seen.digests }, 'head is missing'],
    ['the digests', { head: HEAD }, 'digests is missing'],
    ['either', {}, 'head and digests are missing'],
  ])('does not go without %s', (_what, said, why) => {
    expect(refusal(() => assertSeen(mr, current, said))).toMatchObject({
      code: 'INVALID_REQUEST',
      why: expect.stringContaining(why),
    })
  })

  it('takes what it says, and what it says of stacks that are no longer part of it', () => {
    expect(() => assertSeen(mr, current, { ...seen, digests: { ...seen.digests, 'production/b': 'x' } })).not.toThrow()
  })

  it.each([
    ['another plan', { 'production/a': 'sha256:2' }, 'the plan of production/a is another one'],
    ['no plan', {}, 'production/a has a plan now'],
  ])('that saw %s is refused', (_what, digests, why) => {
    expect(refusal(() => assertSeen(mr, current, { head: HEAD, digests }))).toMatchObject({
      code: 'PLAN_CHANGED',
      why: expect.stringContaining(why),
    })
  })

  it('that saw other content of owned files is refused, and one that does not speak of them is of this head', () => {
    const owned = { ...current, files: { 'docs/a': '100644 abc' } }
    expect(() => assertSeen(mr, owned, seen)).not.toThrow()
    expect(refusal(() => assertSeen(mr, owned, { ...seen, files: null }))).toMatchObject({ code: 'PLAN_CHANGED' })
  })
})
