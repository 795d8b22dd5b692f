import { rollBack, type RollbackTarget } from '../rollback/rollback.ts'
import { listMergeRequests, type MergeRequest } from '../../store/changes/merge-requests.ts'
import { bootstrap, configOf, merge, mrOf, propose, stackOf } from './flows.ts'
import type { Files } from './harness.ts'
import { useWorld } from './use-world.ts'

/** The stack that is rolled back. */
export const KEY = 'production/a'
export const FILES = { 'a/value': '1', 'b/value': '1', 'README.md': 'x' }

/** `environments:` of a production that needs one approval, with more rules. */
export const environments = (rules: object) => ({
  environments: { production: { tier: 'production', approvals: { required: 1 }, ...rules } },
})

/** Two stacks in production, what is merged past the gates and deployed, and rollbacks of it. */
export function useRollbacks() {
  const { harness, world } = useWorld()
  return {
    harness,
    world,
    begin: (config = configOf({ a: {}, b: {} })) => bootstrap(harness, world, { 'trueup.yaml': config, ...FILES }),
    deploy: async (branch: string, changes: Files, bypassReason = 'test'): Promise<MergeRequest> => {
      const mr = await propose(harness, branch, changes)
      await world.work()
      await merge(harness, mr.id, { bypassReason })
      await world.work()
      return await mrOf(harness, mr.id)
    },
    back: async (target: RollbackTarget): Promise<MergeRequest> => {
      const { parts } = harness.engine
      const mr = await rollBack(parts, { target, reason: 'it smells', actorId: harness.users.author.id })
      await harness.settle()
      return mr
    },
    /** The rollbacks that are open. */
    opened: async (): Promise<MergeRequest[]> => {
      const filter = { repositoryId: harness.repositoryId, states: ['open'] as const }
      return (await listMergeRequests(harness.store.db, filter)).items.filter((mr) => mr.origin === 'rollback')
    },
    stack: async (key = KEY): Promise<RollbackTarget> => ({ what: 'stack', stackId: (await stackOf(harness, key)).id }),
  }
}
