import { describe, expect, it } from 'vitest'
import { getMergeRequest } from '../store/changes/merge-requests.ts'
import { listRuns } from '../store/runs/runs.ts'
import { allStacks } from '../store/stacks/stacks.ts'
import { judge } from './merge-requests/gate.ts'
import { mergeRequested } from './merge-requests/merge.ts'
import { update, workAll, type PuppetScript } from './testing/puppet.ts'
import { useWorld } from './testing/use-world.ts'

const CONFIG = `
version: 1
environments:
  production: { tier: production, approvals: { required: 1 } }
stacks:
  - path: a
    driver: command
    environments: [production]
    with: { plan: 'true', apply: 'true' }
`

describe('from a push to a deployment', () => {
  const { harness } = useWorld()

  it('plans the MR, takes an approval, merges and applies what was approved', async () => {
    const { engine, users, repositoryId } = harness
    const { parts } = engine
    await harness.push('main', { 'trueup.yaml': CONFIG, 'a/file': '1' })
    const same: PuppetScript = { plan: () => ({}) }
    const first = await workAll(harness, same)
    expect(first.map((run) => [run.grant.kind, run.decision])).toEqual([
      ['deploy', { action: 'stop', reason: 'no_changes' }],
    ])

    await harness.push('change', { 'a/file': '2' })
    const opened = await harness.forge.changes.open({
      repositoryId,
      sourceBranch: 'change',
      targetBranch: 'main',
      title: 'Two',
      description: '',
      authorId: users.author.id,
    })
    const script: PuppetScript = { plan: () => ({ changes: [update('thing', '1', '2')] }) }
    const previews = await workAll(harness, script)
    expect(previews.map((run) => run.grant.kind)).toEqual(['preview'])

    const mr = (await getMergeRequest(parts.store.db, opened.id))!
    await expect(
      mergeRequested(parts, { mrId: mr.id, actorId: users.reviewer.id, squash: false }),
    ).rejects.toMatchObject({ code: 'MR_BLOCKED' })
    const { digests, files } = await judge(parts, mr)
    expect(Object.keys(digests)).toEqual(['production/a'])
    await harness.forge.reviews.give({
      mrId: mr.id,
      userId: users.reviewer.id,
      verdict: 'approve',
      body: '',
      headOid: mr.headOid,
      digests,
      files,
    })
    const merged = await mergeRequested(parts, { mrId: mr.id, actorId: users.reviewer.id, squash: false })
    expect(merged).toMatchObject({ state: 'merged', mergeSequence: expect.any(Number) })

    const deployed = await workAll(harness, script)
    expect(deployed.map((run) => [run.grant.kind, run.decision.action])).toEqual([['deploy', 'apply']])
    const [stack] = await allStacks(parts.store.db, { repositoryId })
    expect(stack).toMatchObject({ status: 'in_sync', deployedCommit: merged.mergeOid })
    const runs = await listRuns(parts.store.db, { repositoryId })
    expect(runs.items.map((run) => [run.kind, run.state])).toEqual([
      ['deploy', 'succeeded'],
      ['preview', 'succeeded'],
      ['deploy', 'succeeded'],
    ])
  })
})
