import { authenticateStateRun } from '../../engine/state-backend/access.ts'
import type { StateActor, StateKey } from '../../engine/state-backend/state-backend.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import { roleIn } from '../../store/people/members.ts'
import { getRepository } from '../../store/changes/repositories.ts'
import { getStack } from '../../store/stacks/stacks.ts'
import type { ServerParts } from '../parts.ts'
import type { StateLogin, TerraformStateOptions } from './terraform-state.ts'
import { authenticate } from '../auth/authenticate.ts'
import { authorize, may, type Subject } from '../auth/permissions.ts'

/** Ids of runs begin with this; no name of a person that goes with a token matters. */
const RUN_NAME = /^run_/

/**
 * Who may use a Terraform state: a run by the credentials of its lease, a person by a token as the password. A state holds
 * every secret of its stack in clear, so people need `state.read`, and `state.write` to lock and store.
 */
export function stateAccess(parts: Pick<ServerParts, 'store' | 'keys'>): TerraformStateOptions['stateAccess'] {
  return {
    authenticate: async ({ username, password, address }, key) =>
      RUN_NAME.test(username)
        ? authenticateStateRun(parts, username, password, key)
        : authenticatePerson(parts, { password, address }, key),
  }
}

async function authenticatePerson(
  { store }: Pick<ServerParts, 'store'>,
  { password, address }: Pick<StateLogin, 'password' | 'address'>,
  key: StateKey,
): Promise<StateActor> {
  const principal = await authenticate(store, `Bearer ${password}`, address)
  const stack = await getStack(store.db, key.stackId)
  const repository = stack && (await getRepository(store.db, stack.repositoryId))
  const role = repository ? await roleIn(store.db, repository.id, principal.userId) : null
  if (!repository || (role === null && principal.kind !== 'admin')) {
    throw new TrueupError('NOT_FOUND', {
      doing: `opening the state of stack ${key.stackId}`,
      why: 'there is no such stack, or you have no role in its repository',
    })
  }
  const subject: Subject = { repository: { id: repository.id, name: repository.name, role } }
  authorize(principal, 'state.read', subject)
  return {
    runId: null,
    userId: principal.userId,
    label: principal.name,
    write: may(principal, 'state.write', subject),
  }
}
