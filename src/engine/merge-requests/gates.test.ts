import { describe, expect, it } from 'vitest'
import { recordPush } from '../changes/pushers.ts'
import { addTeamMember, createTeam } from '../../store/people/teams.ts'
import { approve, bootstrap, configOf, judged, merge, mrOf, propose, unmet } from '../testing/flows.ts'
import { useWorld } from '../testing/use-world.ts'

const production = (approvals: object) => ({ environments: { production: { tier: 'production', approvals } } })

describe('the gate of a merge request', () => {
  const { harness, world } = useWorld()

  const begin = async (config: string, files: { [path: string]: string } = {}) =>
    bootstrap(harness, world, { 'trueup.yaml': config, 'a/value': '1', ...files })
  const change = async (files: { [path: string]: string | null } = { 'a/value': '2' }) => {
    const mr = await propose(harness, 'change', files)
    await world.work()
    return mr
  }

  it('binds an approval also to what becomes of a stack that has no plan', async () => {
    const rules = production({ required: 1 })
    await begin(configOf({ a: {}, b: {}, c: {} }, rules), { 'b/value': '1', 'c/value': '1' })
    const mr = await change({ 'trueup.yaml': configOf({ a: {}, c: {} }, rules), 'b/value': null })
    await approve(harness, mr.id)
    expect(await unmet(harness, mr.id)).toEqual([])
    await harness.push('change', { 'trueup.yaml': configOf({ a: {} }, rules), 'c/value': null })
    await world.work()
    expect(await unmet(harness, mr.id)).toEqual(['approvals'])
  })

  it('counts neither the author nor who has commits in it, and each person once', async () => {
    await begin(configOf({ a: {} }, production({ required: 2 })))
    const mr = await change()
    await harness.push('change', { 'a/note': 'x' }, { by: 'second' })
    await world.work()
    await expect(approve(harness, mr.id, harness.users.author)).rejects.toMatchObject({ code: 'FORBIDDEN' })
    for (const name of ['second', 'reviewer', 'reviewer'] as const) await approve(harness, mr.id, harness.users[name])
    const { outcome } = await judged(harness, mr.id)
    expect(outcome.approvals['production']).toMatchObject({
      satisfied: false,
      counted: [{ userName: 'reviewer' }],
      missing: ['1 more approval (1 of 2)'],
    })
    expect(outcome.approvals['production']!.refused.map(({ userName }) => userName)).toEqual(['second'])
    await expect(merge(harness, mr.id)).rejects.toMatchObject({
      code: 'MR_BLOCKED',
      text: { why: expect.stringContaining('1 more approval') },
    })
  })

  it('does not count who pushed a commit under the name of somebody else', async () => {
    await begin(configOf({ a: {} }, production({ required: 1 })))
    const mr = await change()
    const newOid = await harness.push('change', { 'a/value': 'evil' }, { by: 'author' })
    const { repositoryId, users } = harness
    const update = { ref: 'refs/heads/change', newOid }
    await recordPush(harness.engine.parts, { repositoryId, userId: users.second.id }, [update])
    await world.work()
    await approve(harness, mr.id, users.second)
    expect((await judged(harness, mr.id)).outcome.approvals['production']).toMatchObject({
      satisfied: false,
      refused: [{ userName: 'second', why: 'has commits in this change' }],
    })
    await approve(harness, mr.id, users.reviewer)
    expect(await unmet(harness, mr.id)).toEqual([])
  })

  it('is blocked by a request for changes until that is taken back', async () => {
    await begin(configOf({ a: {} }))
    const mr = await change()
    const { headOid } = await mrOf(harness, mr.id)
    const review = { mrId: mr.id, userId: harness.users.second.id, body: 'no', headOid, digests: {}, files: {} }
    await harness.forge.reviews.give({ ...review, verdict: 'request_changes' })
    await approve(harness, mr.id)
    expect(await unmet(harness, mr.id)).toEqual(['approvals'])
    await harness.forge.reviews.withdraw(mr.id, harness.users.second.id)
    expect(await unmet(harness, mr.id)).toEqual([])
  })

  it('refuses a review of a head that is no longer there', async () => {
    await begin(configOf({ a: {} }))
    const mr = await change()
    await harness.push('change', { 'a/value': '3' })
    const review = {
      mrId: mr.id,
      userId: harness.users.second.id,
      body: '',
      headOid: mr.headOid,
      digests: {},
      files: {},
    }
    await expect(harness.forge.reviews.give({ ...review, verdict: 'approve' })).rejects.toMatchObject({
      code: 'MR_MOVED',
    })
  })

  it('asks the code owners of the target branch, one of each section', async () => {
    await harness.store.transaction(async (tx) => {
      const team = await createTeam(tx, { name: 'platform' })
      await addTeamMember(tx, team.id, harness.users.second.id)
    })
    const owners = 'a/ @team/none\na/value reviewer@example.test\n[Ops]\na/ team:platform\n'
    await begin(configOf({ a: {} }, production({ required: 1, codeOwners: true })), { CODEOWNERS: owners })
    const mr = await change({ 'a/value': '2', CODEOWNERS: '' })
    await approve(harness, mr.id)
    const { outcome } = await judged(harness, mr.id)
    expect(outcome.approvals['production']!.missing).toEqual([expect.stringContaining('team:platform')])
    await approve(harness, mr.id, harness.users.second)
    expect(await unmet(harness, mr.id)).toEqual([])
  })

  it('judges an MR that lowers approvals by the rules as they are, and binds approvals to the change', async () => {
    await begin(configOf({ a: {} }))
    const lowered = configOf({ a: {} }, production({ required: 0 }))
    const mr = await change({ 'trueup.yaml': lowered })
    expect((await judged(harness, mr.id)).stacks).toEqual([])
    expect(await unmet(harness, mr.id)).toEqual(['approvals'])
    await approve(harness, mr.id)
    expect(await unmet(harness, mr.id)).toEqual([])
    await harness.push('change', { 'trueup.yaml': configOf({ a: {} }, { environments: { production: {} } }) })
    await world.work()
    expect(await unmet(harness, mr.id)).toEqual(['approvals'])
  })

  it.each([
    ['policies', configOf({ a: {} }, { policies: [] }), {}],
    ['verify commands', configOf({ a: { verify: ['true'] } }), {}],
    ['windows', configOf({ a: {} }, { environments: { production: { tier: 'production', windows: [] } } }), {}],
  ])('asks for an approval of changed %s', async (_what, changed, files) => {
    const policies = [{ name: 'never', when: 'true', then: 'warn' }]
    await begin(configOf({ a: { verify: ['./smoke'] } }, { policies }), files)
    const mr = await change({ 'trueup.yaml': changed })
    expect(await unmet(harness, mr.id)).toEqual(['approvals'])
  })

  it('asks for an approval of changed code owners where they are asked for', async () => {
    await begin(configOf({ a: {} }, production({ required: 1, codeOwners: true })), { CODEOWNERS: 'a/ @second\n' })
    const mr = await change({ CODEOWNERS: 'a/ @author\n' })
    expect(await unmet(harness, mr.id)).toEqual(['approvals'])
    await approve(harness, mr.id)
    expect(await unmet(harness, mr.id)).toEqual([])
  })

  it('asks for an approval of a new environment, whatever that says itself', async () => {
    await begin(configOf({ a: { environments: ['production'] } }))
    const environments = { production: { tier: 'production', approvals: { required: 1 } }, prod2: {} }
    const widened = configOf({ a: { environments: ['production', 'prod2'] } }, { environments })
    const mr = await change({ 'trueup.yaml': widened })
    expect(await unmet(harness, mr.id)).toEqual(['approvals'])
  })

  it('applies the policies of the target branch, not those of the MR', async () => {
    const policies = [{ name: 'no-updates', when: 'plan.summary.update > 0', then: 'deny', message: 'never' }]
    await begin(configOf({ a: {} }, { policies }))
    const mr = await change({ 'a/value': '2', 'trueup.yaml': configOf({ a: {} }) })
    await approve(harness, mr.id)
    expect(await unmet(harness, mr.id)).toEqual(['policies'])
  })

  it('shows a broken trueup.yaml as a problem with its line', async () => {
    await begin(configOf({ a: {} }))
    const mr = await change({ 'trueup.yaml': 'version: 1\nenviroments: {}\nstacks: []\n' })
    const { problems } = await mrOf(harness, mr.id)
    expect(problems).toMatchObject([{ code: 'CONFIG_INVALID', why: expect.stringContaining('enviroments') }])
    expect(await unmet(harness, mr.id)).toContain('config')
  })
})
