import { listDriftRecords } from '../../store/stacks/drift.ts'
import { checkNow } from '../drift/actions.ts'
import { bootstrap, configOf, stackOf } from './flows.ts'
import { useWorld } from './use-world.ts'

/** The stack that drifts. */
export const KEY = 'production/a'
export const MINUTE = 60_000

/** A `trueup.yaml` in which stack a treats drift as said, and b hardly looks. */
export const drifting = (drift: object, stack: object = {}): string =>
  configOf({ a: { drift, ...stack }, b: { drift: { interval: '1d' } } })

/** Two deployed stacks, one of which is looked at for drift. Time stands still but for `advance`: a slow machine brings no checks. */
export function useDrift() {
  const { harness, world } = useWorld({ leaseMs: 60 * MINUTE, still: true })
  const stackId = async () => (await stackOf(harness, KEY)).id
  const wish = async () => ({ stackId: await stackId(), actorId: harness.users.second.id })
  return {
    harness,
    world,
    begin: (drift: object, stack: object = {}) =>
      bootstrap(harness, world, { 'trueup.yaml': drifting(drift, stack), 'a/value': '1', 'b/value': '1' }),
    wish,
    check: async () => {
      await checkNow(harness.engine.parts, await wish())
      return await world.work()
    },
    records: async () => (await listDriftRecords(harness.store.db, { stackId: await stackId() })).items,
  }
}
