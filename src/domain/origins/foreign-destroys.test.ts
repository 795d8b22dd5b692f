import { describe, expect, it } from 'vitest'
import type { Action, ResourceChange } from '../plans/plan.ts'
import type { RecordedDeed } from './deeds.ts'
import { describeForeign, foreignDestroys } from './foreign-destroys.ts'

const change = (address: string, actions: Action[], previousAddress?: string): ResourceChange => ({
  address,
  type: 'thing',
  actions,
  attributes: [],
  cause: 'config',
  ...(previousAddress !== undefined && { previousAddress }),
})

const deed = (runId: string, did: RecordedDeed['did'], address: string, from?: string): RecordedDeed => ({
  runId,
  kind: 'deploy',
  did,
  address,
  ...(from !== undefined && { from }),
})

/** What needs a person, where the runs of `bad` are rolled back and `good` and others stay. */
const judged = (changes: ResourceChange[], deeds: RecordedDeed[]): string[] =>
  foreignDestroys(
    { changes },
    { deeds, isRolledBack: (id) => id.startsWith('bad'), nameOf: (id) => (id.startsWith('bad') ? '!2' : '!1') },
  ).map(({ why }) => why)

describe('a rollback', () => {
  it.each<[string, Action[]]>([
    ['create', ['create']],
    ['update', ['update']],
    ['import', ['import']],
    ['forget', ['forget']],
    ['read', ['read']],
  ])('needs nobody to %s, whosever it is', (_what, actions) => {
    expect(judged([change('web', actions)], [])).toEqual([])
  })

  it.each<[string, Action[]]>([
    ['delete', ['delete']],
    ['replace', ['replace']],
    ['import and replace', ['import', 'replace']],
  ])('may %s what the change made, and nothing else without a person', (_what, actions) => {
    const plan = [change('web', actions)]
    expect(judged(plan, [deed('bad', 'created', 'web')])).toEqual([])
    expect(judged(plan, [deed('good', 'adopted', 'web'), deed('bad', 'created', 'web')])).toEqual([])
    expect(judged(plan, [])).toEqual(['nothing on record says that the rolled-back change created web'])
    expect(judged(plan, [deed('good', 'created', 'web')])).toEqual(['web was created by !1, which is not rolled back'])
    expect(judged(plan, [deed('bad', 'adopted', 'web')])).toEqual(['web was imported by !2, not created'])
    expect(judged(plan, [deed('bad', 'found', 'web')])).toEqual(['web was there before !2 first changed it'])
  })

  it('takes what was moved for what it was before', () => {
    const plan = [change('new', ['delete'])]
    const moved = deed('bad', 'moved', 'new', 'old')
    expect(judged(plan, [deed('bad0', 'created', 'old'), moved])).toEqual([])
    expect(judged(plan, [deed('good', 'created', 'old'), moved])).toEqual([
      'new was created by !1, which is not rolled back, and only moved here from old by !2',
    ])
    expect(judged(plan, [moved])).toEqual(['new was there before, only moved here from old by !2'])
  })

  it('never takes what was moved away for what the same run made in its place', () => {
    const deeds = [deed('bad', 'created', 'web'), deed('bad', 'moved', 'web_old', 'web')]
    expect(judged([change('web', ['delete'])], deeds)).toEqual([])
    expect(judged([change('web_old', ['delete'])], deeds)).toHaveLength(1)
  })

  it('asks at the address that its own plan moves something from', () => {
    expect(
      judged([change('b', ['replace'], 'a')], [deed('bad', 'created', 'b'), deed('good', 'created', 'a')]),
    ).toHaveLength(1)
    expect(judged([change('b', ['replace'], 'a')], [deed('bad', 'created', 'a')])).toEqual([])
  })

  it('names five and counts the rest', () => {
    const many = Array.from({ length: 7 }, (_, index) => ({ address: `n${index}`, why: `n${index} is foreign` }))
    expect(describeForeign(many)).toMatch(/n4 is foreign; and 2 more$/)
    expect(describeForeign(many.slice(0, 1))).toMatch(/: n0 is foreign$/)
  })
})
