import { describe, expect, it } from 'vitest'
import { listComments } from '../../store/changes/comments.ts'
import { approve, bootstrap, configOf, judged, merge, mrOf, propose, runsOf, unmet } from '../testing/flows.ts'
import { useWorld } from '../testing/use-world.ts'
import { previewsOf } from './previews.ts'

const BROKEN = 'version: 1\nenviroments: {}\nstacks: []\n'
const INVALID_STACK = configOf({ a: { with: { plan: 7 } } })
const approvals = (required: number, more: object = {}) => ({
  environments: { production: { tier: 'production', approvals: { required, ...more } } },
})

const { harness, world } = useWorld()

const begin = async (config: string, files: { [path: string]: string } = {}) =>
  bootstrap(harness, world, { 'trueup.yaml': config, 'a/value': '1', ...files })
const breakMain = async (files: { [path: string]: string | null } = {}) => {
  const commitOid = await harness.push('main', { 'trueup.yaml': BROKEN, ...files })
  await world.work()
  return commitOid
}
const open = async (files: { [path: string]: string | null }, branch = 'repair') => {
  const mr = await propose(harness, branch, files)
  await world.work()
  return mr
}
const comment = async (mrId: string) => (await listComments(harness.store.db, mrId))[0]!.body
const notes = async (mrId: string) =>
  (await judged(harness, mrId)).outcome.requirements.filter(({ blocking }) => !blocking).map(({ message }) => message)

describe('while trueup.yaml of the target branch cannot be read, a merge request', () => {
  it('is judged by the last rules that could be read, and says so', async () => {
    const policies = [{ name: 'no-updates', when: 'plan.summary.update > 0', then: 'deny', message: 'never' }]
    await begin(configOf({ a: {} }, { ...approvals(2), policies }))
    const good = (await harness.git.resolve('refs/heads/main'))!
    await breakMain()
    const mr = await open({ 'trueup.yaml': configOf({ a: {} }, approvals(0)), 'a/value': '2' })
    expect(await unmet(harness, mr.id)).toEqual(['policies', 'approvals'])
    const { outcome } = await judged(harness, mr.id)
    expect(outcome.approvals['production']).toMatchObject({ required: 2 })
    expect(outcome.requirements.map(({ message }) => message).join()).toContain('changes the rules of production')
    const note = expect.stringMatching(new RegExp(`rules of ${good.slice(0, 10)}.*enviroments`))
    expect(await notes(mr.id)).toEqual([note])
    expect(await comment(mr.id)).toContain(`rules of ${good.slice(0, 10)}`)
  })

  it('that only repairs it merges, and nothing was deployed or removed', async () => {
    const config = configOf({ a: { onRemove: 'destroy' } }, approvals(2))
    await begin(config)
    await breakMain()
    const mr = await open({ 'trueup.yaml': config })
    expect(await unmet(harness, mr.id)).toEqual([])
    expect(previewsOf(await mrOf(harness, mr.id))).toEqual({})
    await merge(harness, mr.id)
    await world.work()
    expect(world.applied).toEqual([])
    expect(await runsOf(harness, { kind: 'destroy' })).toEqual([])
  })

  it('shows what it removes of what is deployed, and what the unreadable commit changed', async () => {
    await begin(configOf({ a: { onRemove: 'destroy' }, b: {} }), { 'b/value': '1' })
    await breakMain({ 'b/value': '2' })
    const mr = await open({ 'trueup.yaml': configOf({ b: {} }) })
    expect(previewsOf(await mrOf(harness, mr.id))).toMatchObject({
      'production/a': { how: 'removed', runId: expect.any(String) },
      'production/b': { how: 'changed' },
    })
    expect(await unmet(harness, mr.id)).toEqual(['approvals'])
    await approve(harness, mr.id)
    await merge(harness, mr.id)
    await world.work()
    expect(world.applied.sort()).toEqual(['production/a=(destroyed)', 'production/b=2'])
  })

  it('asks the code owners that could be read last', async () => {
    const owned = configOf({ a: {} }, approvals(0, { codeOwners: true }))
    await begin(owned, { CODEOWNERS: 'a/ reviewer@example.test\n' })
    await breakMain({ CODEOWNERS: null })
    const mr = await open({ 'trueup.yaml': owned, 'a/value': '2' })
    expect((await judged(harness, mr.id)).outcome.approvals['production']!.missing).toEqual([
      expect.stringContaining('code owner of a/value'),
    ])
  })

  it('is held by the windows that could be read last', async () => {
    const windows = [{ deny: '2000-01-01 - 2100-01-01' }]
    const unwindowed = { environments: { production: { tier: 'production' } } }
    await begin(configOf({ a: {} }, { environments: { production: { tier: 'production', windows } } }))
    await breakMain()
    const mr = await open({ 'trueup.yaml': configOf({ a: {} }, unwindowed), 'a/value': '2' })
    expect(await notes(mr.id)).toContainEqual(expect.stringContaining('deployments are held back'))
  })

  it('that does not repair it is blocked by the error, and keeps its approvals', async () => {
    const config = configOf({ a: {} })
    await begin(config)
    const mr = await open({ 'a/value': '2' }, 'change')
    await approve(harness, mr.id)
    await breakMain()
    expect(await unmet(harness, mr.id)).toEqual(['config'])
    expect(await notes(mr.id)).toEqual([expect.stringContaining('enviroments')])
    await harness.push('main', { 'trueup.yaml': config })
    await world.work()
    expect(await unmet(harness, mr.id)).toEqual([])
    expect(await notes(mr.id)).toEqual([])
  })

  it('is the first configuration where none could ever be read', async () => {
    await begin(BROKEN)
    const mr = await open({ 'trueup.yaml': configOf({ a: {} }, { environments: { lab: {} } }) })
    expect(await unmet(harness, mr.id)).toEqual([])
    expect(await notes(mr.id)).toEqual([expect.stringContaining('no earlier one')])
  })

  it('into another branch is judged by the last rules of that', async () => {
    await begin(configOf({ a: {} }, approvals(2)))
    const from = await harness.push('release', { 'trueup.yaml': BROKEN })
    await harness.push('repair', { 'trueup.yaml': configOf({ a: {} }, approvals(0)) }, { from })
    const mr = await harness.forge.changes.open({
      repositoryId: harness.repositoryId,
      sourceBranch: 'repair',
      targetBranch: 'release',
      title: 'Repair',
      description: '',
      authorId: harness.users.author.id,
    })
    await world.work()
    expect((await judged(harness, mr.id)).outcome.approvals['production']).toMatchObject({ required: 2 })
  })
})

describe('a merge request that makes trueup.yaml unreadable', () => {
  it.each([
    ['a key that is not known', BROKEN, 'enviroments'],
    ['no YAML', 'version: 1\nstacks: [', 'trueup.yaml'],
    ['a stack with bad settings', INVALID_STACK, 'settings of stack production/a'],
  ])('by %s removes nothing: it says the error', async (_what, config, why) => {
    await begin(configOf({ a: { onRemove: 'destroy' } }))
    const mr = await open({ 'trueup.yaml': config }, 'break')
    const { outcome, digests } = await judged(harness, mr.id)
    expect(previewsOf(await mrOf(harness, mr.id))).toEqual({})
    expect(digests).toEqual({})
    const said = outcome.requirements.map(({ message }) => message).join('\n')
    expect(said).toContain(why)
    expect(said).not.toContain('removed')
    expect(await comment(mr.id)).toContain(why)
    expect(await comment(mr.id)).not.toMatch(/removed|no stack is affected|Planned for/)
    expect(await runsOf(harness, { kind: 'preview' })).toEqual([])
  })

  it('has its approvals again once it can be read as they saw it', async () => {
    await begin(configOf({ a: {} }))
    const mr = await open({ 'a/value': '2' }, 'change')
    await approve(harness, mr.id)
    await harness.push('change', { 'trueup.yaml': BROKEN })
    await world.work()
    await harness.push('change', { 'trueup.yaml': configOf({ a: {} }) })
    await world.work()
    expect(await unmet(harness, mr.id)).toEqual([])
  })
})
