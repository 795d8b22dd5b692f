import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { DriverPlan, ResourceChange } from '../../domain/plans/plan.ts'
import { closeMergeRequest, reopenMergeRequest } from '../../forges/builtin/lifecycle.ts'
import { listMergeRequests, type MergeRequest } from '../../store/changes/merge-requests.ts'
import { listDeployments } from '../../store/stacks/deployments.ts'
import { listQuarantine } from '../../store/stacks/quarantine.ts'
import { approve, configOf, judged, merge, mrOf, propose, stackOf } from '../testing/flows.ts'
import { type EngineHarness, startHarness } from '../testing/harness.ts'
import { workAll } from '../testing/puppet.ts'
import { rollBack } from './rollback.ts'

const KEY = 'staging/a'

/**
 * A stack as Terraform has it: a list of resources in a file, a record of those that it manages, and what is really there. A
 * name after `import ` is adopted and not made.
 */
function createEstate(harness: EngineHarness) {
  const real = new Set<string>()
  const managed = new Set<string>()
  const failing = new Set<string>()
  const wantedOf = async (commit: string): Promise<string[]> =>
    ((await harness.git.readFile(commit, 'a/resources'))?.toString() ?? '').split('\n').filter(Boolean)
  const nameOf = (line: string): string => line.replace(/^import /, '')
  const change = (address: string, action: ResourceChange['actions'][number]): ResourceChange => ({
    address,
    type: 'thing',
    actions: [action],
    attributes: [],
    cause: 'config',
  })
  const planOf = async (commit: string): Promise<Partial<DriverPlan>> => {
    const lines = await wantedOf(commit)
    const names = new Set(lines.map(nameOf))
    const missing = lines.filter((line) => !managed.has(nameOf(line)))
    return {
      changes: [
        ...missing.map((line) => change(nameOf(line), line.startsWith('import ') ? 'import' : 'create')),
        ...[...managed].filter((name) => !names.has(name)).map((name) => change(name, 'delete')),
      ],
    }
  }
  const work = () =>
    workAll(harness, {
      plan: (grant) => planOf(grant.commit),
      async apply(grant) {
        const { changes = [] } = await planOf(grant.commit)
        const resources = changes.map(({ address, actions }) => {
          if (failing.has(address)) return { address, actions, status: 'failed' as const, message: 'no such luck' }
          if (actions.includes('delete')) for (const set of [real, managed]) set.delete(address)
          else for (const set of [real, managed]) set.add(address)
          return { address, actions, status: 'done' as const }
        })
        return { status: resources.every(({ status }) => status === 'done') ? 'applied' : 'failed', resources }
      },
    })
  return { real, managed, failing, work }
}

describe('a rollback of what was imported', () => {
  let harness: EngineHarness
  let estate: ReturnType<typeof createEstate>
  beforeEach(async () => {
    harness = await startHarness()
    estate = createEstate(harness)
  })
  afterEach(() => harness.stop())

  const rules = (more: object = {}) => configOf({ a: {} }, { environments: { staging: { tier: 'staging', ...more } } })
  const begin = async (config = rules()) => {
    await harness.push('main', { 'trueup.yaml': config, 'a/resources': 'base\n' })
    await estate.work()
  }
  const deploy = async (branch: string, resources: string): Promise<MergeRequest> => {
    const mr = await propose(harness, branch, { 'a/resources': resources })
    await estate.work()
    await merge(harness, mr.id)
    await estate.work()
    return await mrOf(harness, mr.id)
  }
  const openRollbacks = async () =>
    (await listMergeRequests(harness.store.db, { states: ['open'] })).items.filter(
      ({ origin }) => origin === 'rollback',
    )
  const standing = async () => await listQuarantine(harness.store.db, { stackId: (await stackOf(harness, KEY)).id })
  const back = async (target: Parameters<typeof rollBack>[2]['target']) => {
    const { parts, forge } = harness.engine
    const mr = await rollBack(parts, forge, { target, reason: 'it smells', actorId: harness.users.author.id })
    await harness.settle()
    return mr
  }
  const stack = async () => ({ what: 'stack' as const, stackId: (await stackOf(harness, KEY)).id })

  it('by itself never deletes it: it waits for a person, and says why', async () => {
    await begin(rules({ onFailure: 'rollback' }))
    estate.real.add('web')
    estate.failing.add('made')
    const bad = await deploy('two', 'base\nimport web\nmade\n')
    const [mr] = await openRollbacks()
    expect(mr).toBeDefined()
    expect(estate.real).toContain('web')
    const { outcome } = await judged(harness, mr!.id)
    expect(outcome.mergeable).toBe(false)
    expect(outcome.requirements.map(({ message }) => message)).toContainEqual(
      expect.stringContaining(`web was imported by !${bad.number}, not created`),
    )
    await approve(harness, mr!.id)
    await estate.work()
    expect(await mrOf(harness, mr!.id)).toMatchObject({ state: 'merged' })
    expect(estate.real).not.toContain('web')
  })

  it('deletes without asking what the change had made, and what it half made', async () => {
    await begin(rules({ onFailure: 'rollback' }))
    estate.failing.add('broken')
    await deploy('two', 'base\nmade\nbroken\n')
    expect(await openRollbacks()).toEqual([])
    expect(estate.real).toEqual(new Set(['base']))
  })

  it('counts maxDestroys', async () => {
    await begin(rules({ drift: { maxDestroys: 1 } }))
    await deploy('two', 'base\none\ntwo\n')
    const mr = await back(await stack())
    await estate.work()
    const messages = (await judged(harness, mr.id)).outcome.requirements.map(({ message }) => message)
    expect(messages).toContainEqual(expect.stringMatching(/delete or replace 2 resources.*maxDestroys.* is 1/))
    expect(await mrOf(harness, mr.id)).toMatchObject({ state: 'open' })
  })

  it('closed unmerged lifts its quarantine, and puts it back when it is opened again', async () => {
    await begin()
    await deploy('two', 'base\nmade\n')
    const mr = await back({ ...(await stack()) })
    expect(await standing()).toMatchObject([{ mrId: mr.id, reason: 'it smells' }])
    expect((await stackOf(harness, KEY)).statusReason).toContain(`in quarantine by !${mr.number}`)
    await closeMergeRequest(harness.engine.parts, mr.id, 'user:x', 'a false alarm')
    await harness.settle()
    expect(await standing()).toEqual([])
    expect((await stackOf(harness, KEY)).statusReason).toBeNull()
    await reopenMergeRequest(harness.engine.parts, mr.id, 'user:x')
    await harness.settle()
    expect(await standing()).toMatchObject([{ mrId: mr.id }])
  })

  it('of a rollback brings its state back and quarantines none', async () => {
    await begin()
    await deploy('two', 'base\nmade\n')
    const first = await back(await stack())
    await estate.work()
    expect(await mrOf(harness, first.id)).toMatchObject({ state: 'merged' })
    const { items } = await listDeployments(harness.store.db, { mrId: first.id })
    await back({ what: 'deployment', repositoryId: harness.repositoryId, deploymentId: items[0]!.id })
    await estate.work()
    expect(estate.real).toEqual(new Set(['base', 'made']))
    expect(await standing()).toEqual([])
    expect(await stackOf(harness, KEY)).toMatchObject({ status: 'in_sync', statusReason: null })
  })
})
