import { describe, expect, it } from 'vitest'
import type { MergeRequest } from '../../store/changes/merge-requests.ts'
import { findDeploymentByRun } from '../../store/stacks/deployments.ts'
import { listQuarantine } from '../../store/stacks/quarantine.ts'
import { approve, bootstrap, configOf, merge, mrOf, propose, runsOf, stackOf } from '../testing/flows.ts'
import type { Files } from '../testing/harness.ts'
import { useWorld } from '../testing/use-world.ts'
import { rollBack } from './rollback.ts'

const KEY = 'production/a'
const STACKS = { a: { onRemove: 'destroy' }, b: {} }
const files = { 'a/value': '1', 'b/value': '1' }

describe('a rollback of an environment whose newest merge removed stacks', () => {
  const { harness, world } = useWorld()

  const begin = async (stacks: { [name: string]: object }) => {
    await bootstrap(harness, world, { 'trueup.yaml': configOf(stacks), ...files })
    await land('earlier', { 'b/value': '2' })
  }
  const land = async (branch: string, changes: Files, work = true) => {
    const mr = await propose(harness, branch, changes)
    await world.work()
    await merge(harness, mr.id, { bypassReason: 'test' })
    if (work) await world.work()
  }
  const back = async (): Promise<MergeRequest> => {
    const target = { what: 'environment' as const, repositoryId: harness.repositoryId, environment: 'production' }
    const wish = { target, reason: 'too soon', actorId: harness.users.author.id }
    const mr = await rollBack(harness.engine.parts, wish)
    await harness.settle()
    return mr
  }
  const enact = async (mr: MergeRequest) => {
    await world.work()
    await approve(harness, mr.id)
    await world.work()
    expect(await mrOf(harness, mr.id)).toMatchObject({ state: 'merged' })
  }
  const changed = (mr: MergeRequest) => harness.git.changedPaths(mr.targetOid, mr.headOid)

  it('makes anew what that destroyed', async () => {
    await begin(STACKS)
    await land('gone', { 'trueup.yaml': configOf({ b: {} }), a: null })
    expect(world.things.has(KEY)).toBe(false)
    const mr = await back()
    expect(mr.description).toContain(KEY)
    expect(await changed(mr)).toEqual(expect.arrayContaining(['trueup.yaml', 'a/value']))
    await expect(back()).rejects.toMatchObject({ code: 'ROLLBACK_OPEN' })
    await enact(mr)
    expect(world.things.get(KEY)).toBe('1')
    expect(world.things.get('production/b')).toBe('2')
    expect(await stackOf(harness, KEY)).toMatchObject({ status: 'in_sync', removedAt: null })
  })

  it('takes an orphan back into Git', async () => {
    await begin({ a: {}, b: {} })
    await land('gone', { 'trueup.yaml': configOf({ b: {} }) })
    expect(await stackOf(harness, KEY)).toMatchObject({ status: 'orphaned' })
    await enact(await back())
    expect(await stackOf(harness, KEY)).toMatchObject({ status: 'in_sync' })
    expect(world.things.get('production/b')).toBe('2')
  })

  it('keeps what is not destroyed yet', async () => {
    await begin(STACKS)
    await land('gone', { 'trueup.yaml': configOf({ b: {} }) }, false)
    expect(await runsOf(harness, { kind: 'destroy', state: 'queued' })).toHaveLength(1)
    const mr = await back()
    expect(await runsOf(harness, { kind: 'destroy' })).toMatchObject([{ state: 'canceled', reason: 'rolled_back' }])
    await enact(mr)
    expect(world.applied).toEqual(['production/b=2'])
    expect(await stackOf(harness, KEY)).toMatchObject({ status: 'in_sync' })
  })

  it('takes back what that merge changed, too', async () => {
    await begin(STACKS)
    await land('mixed', { 'trueup.yaml': configOf({ b: {} }), 'b/value': '3' })
    await enact(await back())
    expect(world.things.get(KEY)).toBe('1')
    expect(world.things.get('production/b')).toBe('2')
    const { id: stackId } = await stackOf(harness, 'production/b')
    expect(await listQuarantine(harness.store.db, { repositoryId: harness.repositoryId })).toMatchObject([{ stackId }])
  })

  it('works for the last stack of it', async () => {
    await bootstrap(harness, world, { 'trueup.yaml': configOf({ a: { onRemove: 'destroy' } }), ...files })
    await land('gone', { 'trueup.yaml': configOf({}) })
    await enact(await back())
    expect(world.things.get(KEY)).toBe('1')
  })

  it('goes past a merge that could not be read, and past those of other places', async () => {
    await begin(STACKS)
    await land('gone', { 'trueup.yaml': configOf({ b: {} }) })
    await harness.push('main', { 'README.md': 'x' })
    await harness.push('main', { 'trueup.yaml': 'version: 1\nstacks: [' })
    await harness.push('main', { 'trueup.yaml': configOf({ b: {} }) })
    await enact(await back())
    expect(world.things.get(KEY)).toBe('1')
  })

  it('leaves alone what was removed before the newest merge', async () => {
    await begin(STACKS)
    await land('gone', { 'trueup.yaml': configOf({ b: {} }) })
    await land('later', { 'b/value': '3' })
    const mr = await back()
    expect(await changed(mr)).toEqual(['b/value'])
  })

  it('does not bring back by itself what was rolled back before', async () => {
    await bootstrap(harness, world, { 'trueup.yaml': configOf({ b: {} }), ...files })
    await land('earlier', { 'b/value': '2' })
    await land('gone', { 'trueup.yaml': configOf({ a: {}, b: {} }) })
    const target = { what: 'deployment' as const, repositoryId: harness.repositoryId }
    const { parts } = harness.engine
    const [run] = await runsOf(harness, { kind: 'deploy', stack: KEY })
    const deployment = await findDeploymentByRun(harness.store.db, run!.id)
    const wish = { reason: 'too soon', actorId: harness.users.author.id }
    await enact(await rollBack(parts, { ...wish, target: { ...target, deploymentId: deployment!.id } }))
    expect(await changed(await back())).toEqual(['b/value'])
  })
})
