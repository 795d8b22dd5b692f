import { describe, expect, it } from 'vitest'
import { listDeployments } from '../../store/stacks/deployments.ts'
import { stackOf } from '../testing/flows.ts'
import { KEY, useRollbacks } from '../testing/rollbacks.ts'
import type { RollbackTarget } from './rollback.ts'

describe('a rollback beside an open one', () => {
  const { harness, begin, deploy, back, opened, stack } = useRollbacks()

  it('of what an open one takes back already is refused, and the open one named', async () => {
    await begin()
    await deploy('two', { 'a/value': '2', 'b/value': '2' })
    const open = await back({ what: 'environment', repositoryId: harness.repositoryId, environment: 'production' })
    const { items } = await listDeployments(harness.store.db, { stackId: (await stackOf(harness, KEY)).id })
    const again: RollbackTarget[] = [
      { what: 'environment', repositoryId: harness.repositoryId, environment: 'production' },
      { what: 'deployment', repositoryId: harness.repositoryId, deploymentId: items[0]!.id },
      await stack(),
    ]
    for (const target of again)
      await expect(back(target)).rejects.toMatchObject({
        code: 'ROLLBACK_OPEN',
        text: {
          why: expect.stringContaining(`!${open.number}`),
          next: expect.stringContaining(`trueup mr close ${open.number}`),
        },
      })
    expect(await opened()).toHaveLength(1)
    // Once it is closed, or for a newer change of the same stack, there is something to take back again.
    await harness.forge.changes.close(open.id, 'system', 'another one')
    const second = await back(await stack())
    await deploy('three', { 'a/value': '3' })
    const third = await back(await stack())
    expect(await opened()).toMatchObject([{ id: third.id }, { id: second.id }])
  })

  it('of more than an open one takes back is another one', async () => {
    await begin()
    await deploy('two', { 'a/value': '2', 'b/value': '2' })
    const one = await back(await stack())
    const all = await back({ what: 'environment', repositoryId: harness.repositoryId, environment: 'production' })
    expect(await opened()).toMatchObject([{ id: all.id }, { id: one.id }])
  })

  it('asked for twice at the same moment is opened once', async () => {
    await begin()
    await deploy('two', { 'a/value': '2' })
    const target = await stack()
    const results = await Promise.allSettled([back(target), back(target)])
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected'])
    expect(await opened()).toHaveLength(1)
  })
})
