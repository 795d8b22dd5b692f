import { timingSafeEqual } from 'node:crypto'
import { isStateChanging, LEASED_STATES } from '../../domain/runs/run.ts'
import { getRepository } from '../../store/changes/repositories.ts'
import { getRun } from '../../store/runs/runs.ts'
import { hashKeyContext } from '../keys.ts'
import type { EngineParts } from '../parts.ts'
import type { StateActor, StateKey } from './state-backend.ts'
import { statePassword } from '../worker/grant.ts'

/**
 * The run behind a user name and password at the state backend, or null. The password is a keyed hash of run and lease,
 * so it counts only while the run is leased under that very fencing token, and only for its own stack. Preview and drift
 * runs may read.
 */
export async function authenticateStateRun(
  { store, keys }: Pick<EngineParts, 'store' | 'keys'>,
  username: string,
  password: string,
  key: StateKey,
): Promise<StateActor | null> {
  const run = await getRun(store.db, username)
  if (run === undefined || run.stackId !== key.stackId) return null
  if (!(LEASED_STATES as readonly string[]).includes(run.state)) return null
  const repository = await getRepository(store.db, run.repositoryId)
  if (repository === undefined) return null
  const hashKey = keys.open(repository.hashKeySealed, hashKeyContext(repository.id))
  if (!sameText(password, statePassword(hashKey, run))) return null
  return {
    runId: run.id,
    userId: null,
    label: `run ${run.id}`,
    write: isStateChanging(run.kind),
    fence: run.fence,
    workerId: run.workerId,
  }
}

function sameText(given: string, expected: string): boolean {
  const a = Buffer.from(given)
  const b = Buffer.from(expected)
  return a.length === b.length && timingSafeEqual(a, b)
}
