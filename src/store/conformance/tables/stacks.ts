import { expect, it } from 'vitest'
import { createDeployment, findDeploymentByRun, listDeployments } from '../../stacks/deployments.ts'
import { listOutputs, setOutputs } from '../../stacks/outputs.ts'
import {
  allStacks,
  countStacksByStatus,
  findStack,
  listStacks,
  nextDriftAt,
  patchStack,
  stacksDueForDrift,
  upsertStack,
} from '../../stacks/stacks.ts'
import { deleteVariable, listVariables, setVariable } from '../../stacks/variables.ts'
import { type Bench, refusal } from '../bench.ts'
import { OID, handsOn } from './hands.ts'

const SUMMARY = { create: 1, update: 0, delete: 0, replace: 0, other: 0 }

export function stackTables(bench: () => Bench): void {
  const { db, write } = handsOn(bench)

  it('stacks: one for an identity, found, listed, counted, due for drift', async () => {
    const { repository, stack, clock } = bench()
    const vpc = await stack('vpc')
    const identity = { repositoryId: repository.id, environment: 'production', name: 'vpc' }
    const moved = await write((tx) =>
      upsertStack(tx, { ...identity, path: 'infra/vpc', driver: 'terraform', config: { a: [1] } }),
    )
    expect(moved).toMatchObject({ id: vpc.id, path: 'infra/vpc', config: { a: [1] }, status: 'new' })
    expect(await findStack(db(), identity)).toEqual(moved)
    const app = await stack('app')
    await write((tx) =>
      patchStack(tx, app.id, { status: 'drifted', nextDriftAt: clock.now() + 10, healBackoff: { n: 1 } }),
    )
    expect(await nextDriftAt(db())).toBe(clock.now() + 10)
    expect(await stacksDueForDrift(db(), clock.now(), 10)).toEqual([])
    expect((await stacksDueForDrift(db(), clock.now() + 10, 10)).map((due) => due.id)).toEqual([app.id])
    expect((await listStacks(db(), { statuses: ['drifted'] })).items.map((listed) => listed.name)).toEqual(['app'])
    expect(await countStacksByStatus(db(), repository.id)).toEqual([
      { environment: 'production', status: 'drifted', count: 1 },
      { environment: 'production', status: 'new', count: 1 },
    ])
    await write((tx) => patchStack(tx, app.id, { removedAt: clock.now() }))
    expect((await allStacks(db(), { repositoryId: repository.id })).map((listed) => listed.name)).toEqual(['vpc'])
    expect(await allStacks(db(), { repositoryId: repository.id, removed: true })).toHaveLength(2)
    expect(await nextDriftAt(db())).toBeNull()
  })

  it('outputs are replaced as a whole', async () => {
    const vpc = await bench().stack('vpc')
    await write((tx) =>
      setOutputs(tx, vpc.id, { id: { value: 'vpc-1', sensitive: false }, old: { value: 1, sensitive: false } }),
    )
    await write((tx) => setOutputs(tx, vpc.id, { id: { value: { nested: [null] }, sensitive: true } }))
    expect(await listOutputs(db(), vpc.id)).toMatchObject([{ name: 'id', value: { nested: [null] }, sensitive: true }])
  })

  it('deployments: one a run, newest first', async () => {
    const { repository, stack, run } = bench()
    const vpc = await stack('vpc')
    const [first, second] = [await run(vpc), await run(vpc)]
    const deploy = (runId: string, status: 'succeeded' | 'failed') =>
      write((tx) =>
        createDeployment(tx, {
          stackId: vpc.id,
          repositoryId: repository.id,
          runId,
          kind: 'deploy',
          commitOid: OID,
          desiredDigest: 'd',
          status,
          summary: SUMMARY,
          finishedAt: 1,
        }),
      )
    const [one, two] = [await deploy(first.id, 'failed'), await deploy(second.id, 'succeeded')]
    await refusal(deploy(first.id, 'succeeded'), 'CONFLICT')
    expect((await listDeployments(db(), { stackId: vpc.id })).items).toEqual([two, one])
    expect((await listDeployments(db(), { status: 'failed' })).items).toEqual([one])
    expect(await findDeploymentByRun(db(), second.id)).toEqual(two)
  })

  it('variables: one for a scope, also where the scope is everything, versions that grow', async () => {
    const { repository } = bench()
    const scope = { repositoryId: repository.id, environment: null, stack: null, name: 'TOKEN', phase: 'both' as const }
    const set = (text: string, more = {}) =>
      write((tx) =>
        setVariable(tx, { ...scope, ...more }, { secret: true, updatedById: 'user_1', seal: (id) => `${id}:${text}` }),
      )
    const first = await set('one')
    expect(first).toMatchObject({ version: 1, secret: true, valueSealed: `${first.id}:one` })
    expect(await set('two')).toMatchObject({ id: first.id, version: 2, valueSealed: `${first.id}:two` })
    await set('three', { environment: 'production' })
    expect(await listVariables(db(), repository.id)).toHaveLength(2)
    expect(await write((tx) => deleteVariable(tx, first.id))).toBe(true)
    expect(await write((tx) => deleteVariable(tx, first.id))).toBe(false)
  })
}
