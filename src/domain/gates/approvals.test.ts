import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { evaluateApprovals, raised, type ApprovalFacts } from './approvals.ts'
import { droppedReviews } from './dropped-reviews.ts'
import type { Owner } from './code-owners.ts'
import type { OwnedFile } from './owned-files.ts'
import type { Review } from './votes.ts'

const NETWORK = 'production/infra/network'
const WEB = 'production/web'
const DIGESTS = { [NETWORK]: 'd1', [WEB]: 'd2' }
const TEAMS: { [userId: string]: string[] } = { ann: ['platform'], bob: ['platform', 'web'], cid: ['web'] }

const review = (userId: string, more: Partial<Review> = {}): Review => ({
  userId,
  userName: userId,
  verdict: 'approve',
  digests: DIGESTS,
  at: 1,
  ...more,
})

const judge = (reviews: Review[], more: Partial<ApprovalFacts> = {}, rules: Partial<ApprovalFacts['rules']> = {}) =>
  evaluateApprovals({
    rules: { required: 1, from: [], codeOwners: false, ...rules },
    reviews,
    stacks: [
      { key: NETWORK, digest: 'd1' },
      { key: WEB, digest: 'd2' },
    ],
    makers: MAKERS,
    teamsOf: (userId) => TEAMS[userId] ?? [],
    owned: [],
    ...more,
  })

const MAKERS = { authorId: 'author', pusherIds: ['author', 'committer'], namedIds: ['named'], unknownTip: null }
const owned = (path: string, owners: Owner[], more: Partial<OwnedFile['group']> = {}): OwnedFile => ({
  path,
  content: `content of ${path}`,
  group: { section: null, needed: 1, owners, ...more },
})
/** The files as a review given now saw them. */
const saw = (...files: OwnedFile[]) => ({
  files: Object.fromEntries(files.map(({ path, content }) => [path, content])),
})

const platform = { kind: 'team', name: 'platform' } as const
const web = { kind: 'team', name: 'web' } as const

describe('approvals', () => {
  it('are satisfied by the required number of votes', () => {
    expect(judge([], {}, { required: 0 })).toMatchObject({ satisfied: true, missing: [] })
    expect(judge([review('ann')])).toMatchObject({
      satisfied: true,
      counted: [{ userId: 'ann', userName: 'ann', via: 'anyone' }],
    })
    expect(judge([review('ann')], {}, { required: 2 })).toMatchObject({
      satisfied: false,
      missing: ['1 more approval (1 of 2)'],
    })
  })

  it('give one vote each, in however many groups and reviews', () => {
    const outcome = judge([review('bob'), review('bob', { at: 2 })], {}, { required: 2, from: [platform, web] })
    expect(outcome.counted).toEqual([{ userId: 'bob', userName: 'bob', via: 'team:platform' }])
    expect(outcome.missing).toEqual(['1 more approval from team:platform or team:web (1 of 2)'])
  })

  it('take votes only from whom the rules name', () => {
    const rules = { required: 1, from: [platform, { kind: 'user', name: 'dan' } as const] }
    expect(judge([review('cid')], {}, rules)).toMatchObject({
      satisfied: false,
      refused: [{ userId: 'cid', why: 'is not one of team:platform or user:dan' }],
    })
    expect(judge([review('dan')], {}, rules).counted).toMatchObject([{ via: 'user:dan' }])
  })

  it('never count the author or a committer', () => {
    const outcome = judge([review('author'), review('committer')])
    expect(outcome.satisfied).toBe(false)
    expect(outcome.refused.map(({ why }) => why)).toEqual([
      'is the author of this change',
      'has commits in this change',
    ])
  })

  it('count only for the current plan of every stack', () => {
    const stale = judge([review('ann', { digests: { ...DIGESTS, [WEB]: 'old' } })])
    expect(stale.refused).toMatchObject([{ why: 'approved another plan than the current one of production/web' }])
    expect(judge([review('ann', { digests: { [WEB]: 'd2' } })]).satisfied).toBe(false)
    expect(judge([review('ann')], { stacks: [{ key: WEB, digest: null }] }).satisfied).toBe(false)
    expect(judge([review('ann', { digests: { ...DIGESTS, 'staging/web': 'x' } })]).satisfied).toBe(true)
  })

  it('follow the newest verdict; comments change nothing', () => {
    const changes = review('ann', { verdict: 'request_changes', at: 2 })
    expect(judge([review('ann'), changes, review('bob')])).toMatchObject({
      satisfied: false,
      missing: ['ann asks for changes and has to approve or take that back'],
    })
    expect(judge([changes, review('ann', { at: 3 })]).satisfied).toBe(true)
    expect(judge([review('ann'), review('ann', { verdict: 'comment', at: 2 })]).satisfied).toBe(true)
  })

  it('are blocked by a request for changes even where none are required', () => {
    const changes = review('ann', { verdict: 'request_changes', digests: {} })
    expect(judge([changes], {}, { required: 0 }).satisfied).toBe(false)
  })

  it('need an owner of every owned file', () => {
    const files = [
      owned('web/a', [web]),
      owned('web/b', [web]),
      owned('net/a', [{ kind: 'user', name: 'ann' }, platform]),
      owned('free', []),
    ]
    const facts = { owned: files }
    const rules = { required: 0, codeOwners: true }
    const by = (userId: string) => review(userId, saw(...files))
    expect(judge([], facts, rules).missing).toEqual([
      'an approval by team:web as code owner of web/a, web/b',
      'an approval by user:ann or team:platform as code owner of net/a',
    ])
    expect(judge([by('bob')], facts, rules).satisfied).toBe(true)
    expect(judge([by('cid'), by('ann')], facts, rules).satisfied).toBe(true)
    expect(judge([by('bob')], { ...facts, makers: { ...MAKERS, authorId: 'bob' } }, rules).satisfied).toBe(false)
    expect(judge([], facts, { required: 0, codeOwners: false }).satisfied).toBe(true)
  })

  it('of an owner speak for the content that was seen, and for no file that came later', () => {
    const [a, b] = [owned('a', [web]), owned('b', [web])]
    const rules = { required: 1, codeOwners: true }
    const cid = review('cid', saw(a))
    expect(judge([cid], { owned: [a] }, rules).satisfied).toBe(true)
    const changed = judge([cid], { owned: [{ ...a, content: 'other' }] }, rules)
    expect(changed.missing).toEqual(['an approval by team:web as code owner of a (cid approved another content of it)'])
    expect(changed.counted).toHaveLength(1)
    expect(judge([cid], { owned: [a, b] }, rules).missing[0]).toMatch(/code owner of b/)
    expect(judge([review('cid')], { owned: [a] }, rules).satisfied).toBe(false)
    expect(judge([cid], { owned: [] }, rules).satisfied).toBe(true)
  })

  it('of as many owners as their section says, and of every section', () => {
    const two = owned('a', [web, platform], { section: 'Security', needed: 2 })
    const one = owned('a', [platform])
    const rules = { required: 0, codeOwners: true }
    const facts = { owned: [two, one] }
    expect(judge([review('cid', saw(two))], facts, rules).missing).toEqual([
      '2 approvals by team:web or team:platform as code owners [Security] (1 of 2) of a',
      'an approval by team:platform as code owner of a',
    ])
    expect(judge([review('cid', saw(two)), review('ann', saw(two))], facts, rules).satisfied).toBe(true)
  })

  it('know owners by e-mail address', () => {
    const file = owned('a', [{ kind: 'email', name: 'Ann@example.org' }])
    const rules = { required: 0, codeOwners: true }
    const seen = saw(file)
    const facts = { owned: [file] }
    expect(judge([review('ann', { ...seen, userEmail: 'ann@example.org' })], facts, rules).satisfied).toBe(true)
    expect(judge([review('ann', seen)], facts, rules).satisfied).toBe(false)
  })

  it('let an owner outside the named groups speak for the files only', () => {
    const file = owned('web/a', [web])
    const rules = { required: 1, from: [platform], codeOwners: true }
    const outcome = judge([review('cid', saw(file))], { owned: [file] }, rules)
    expect(outcome.missing).toEqual(['1 more approval from team:platform (0 of 1)'])
  })

  it('count, either way, while their giver may give them', () => {
    const barred = 'has a disabled account'
    expect(judge([review('ann', { barred })])).toMatchObject({ satisfied: false, refused: [{ why: barred }] })
    const no = review('ann', { verdict: 'request_changes', barred })
    expect(judge([no, review('bob')])).toMatchObject({ satisfied: true, refused: [{ userName: 'ann', why: barred }] })
    const file = owned('a', [platform])
    const rules = { required: 0, codeOwners: true }
    expect(judge([review('ann', { ...saw(file), barred })], { owned: [file] }, rules).satisfied).toBe(false)
  })

  it('never come from those whom the commits name', () => {
    expect(judge([review('named')]).refused).toMatchObject([{ why: 'is named in commits of this change' }])
  })

  it('are not to be had for a tip that nobody knows the origin of, and it says how to get out', () => {
    const makers = { ...MAKERS, unknownTip: 'f'.repeat(40) }
    const outcome = judge([review('ann')], { makers })
    expect(outcome).toMatchObject({ satisfied: false, counted: [] })
    expect(outcome.missing.join()).toContain('git push')
    expect(judge([], { makers }, { required: 0 }).satisfied).toBe(true)
    const file = owned('a', [platform])
    expect(
      judge([review('ann', saw(file))], { makers, owned: [file] }, { required: 0, codeOwners: true }).satisfied,
    ).toBe(false)
  })

  it('ask for one more where a policy says so', () => {
    expect(raised({ required: 0, from: [], codeOwners: false }).required).toBe(1)
    expect(raised({ required: 2, from: [platform], codeOwners: true })).toEqual({
      required: 3,
      from: [platform],
      codeOwners: true,
    })
  })
})

const arbitraryReview: fc.Arbitrary<Review> = fc.record({
  userId: fc.constantFrom('ann', 'bob', 'cid', 'author', 'committer'),
  userName: fc.constant('someone'),
  verdict: fc.constantFrom('approve', 'request_changes', 'comment'),
  digests: fc.constantFrom(DIGESTS, { ...DIGESTS, [WEB]: 'old' }, {}),
  at: fc.integer({ min: 0, max: 3 }),
})

describe('approvals, whatever the reviews', () => {
  const facts = fc.record({
    required: fc.integer({ min: 0, max: 3 }),
    reviews: fc.array(arbitraryReview, { maxLength: 6 }),
  })

  it('stay satisfied when someone new approves', () => {
    fc.assert(
      fc.property(facts, ({ required, reviews }) => {
        const before = judge(reviews, {}, { required })
        const after = judge([...reviews, review('new')], {}, { required })
        expect(after.counted).toHaveLength(before.counted.length + 1)
        if (before.satisfied) expect(after.satisfied).toBe(true)
      }),
    )
  })

  it('count nobody twice, no author, no committer and no stale vote, and are met exactly when nothing is missing', () => {
    fc.assert(
      fc.property(facts, ({ required, reviews }) => {
        const { satisfied, counted, missing } = judge(reviews, {}, { required })
        const users = counted.map(({ userId }) => userId)
        expect(new Set(users).size).toBe(users.length)
        expect(users.filter((user) => user === 'author' || user === 'committer')).toEqual([])
        for (const user of users) {
          expect(reviews.some((item) => item.userId === user && item.digests === DIGESTS)).toBe(true)
        }
        expect(satisfied).toBe(missing.length === 0)
        if (satisfied) expect(counted.length).toBeGreaterThanOrEqual(required)
      }),
    )
  })
})

describe('dropped reviews', () => {
  const STAGING = 'staging/web'
  const seen = review('ann', { digests: { ...DIGESTS, [STAGING]: 's' } })

  it('are none while every plan is the one that was approved', () => {
    expect(droppedReviews([seen], { ...DIGESTS, [STAGING]: 's' })).toEqual([])
    expect(droppedReviews([seen], { [WEB]: 'd2' })).toEqual([])
  })

  it('name the stacks that changed and those that joined', () => {
    const dropped = droppedReviews([seen], { [WEB]: 'other', 'production/new': 'n' })
    expect(dropped).toMatchObject([
      {
        stacks: [WEB, 'production/new'],
        partly: false,
        why: 'the plan of production/web changed; production/new joined the change',
      },
    ])
  })

  it('hold partly where one environment is untouched', () => {
    expect(droppedReviews([seen], { [WEB]: 'other', [STAGING]: 's' })).toMatchObject([{ stacks: [WEB], partly: true }])
    expect(droppedReviews([seen], { [WEB]: 'other', [NETWORK]: 'd1' })).toMatchObject([{ partly: false }])
  })

  it('are approvals only', () => {
    const others = [review('ann', { verdict: 'comment' }), review('bob', { verdict: 'request_changes' })]
    expect(droppedReviews(others, { [WEB]: 'other' })).toEqual([])
  })
})
