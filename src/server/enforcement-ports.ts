import { findRepositoryByName, getRepository } from '../store/changes/repositories.ts'
import { roleIn } from '../store/people/members.ts'
import type { ServerParts } from './parts.ts'
import type { WorkerIdentity } from './worker/identity.ts'
import { authenticateRequest } from './auth/authenticate.ts'
import type { EnforcementPorts } from './auth/enforce.ts'
import { idsBeginning, NAMED_BY_ID, type NamedById } from '../store/database/short-id.ts'

/** Enforcement on the store. */
export function enforcementPorts(
  { store, engine, publicUrl }: Pick<ServerParts, 'store' | 'engine' | 'publicUrl'>,
  workers: WorkerIdentity,
): EnforcementPorts {
  return {
    authenticate: (request) => authenticateRequest(store, request, publicUrl()),
    authenticateWorker: ({ headers: { authorization }, method, raw }) =>
      workers.verify({ authorization, method, path: raw.url ?? '' }),
    findRepository: async (by) => {
      const found = 'id' in by ? await getRepository(store.db, by.id) : await findRepositoryByName(store.db, by.name)
      return found === undefined ? null : { ...found, damage: engine.parts.unusable.why(found.id) }
    },
    roleIn: (repositoryId, userId) => roleIn(store.db, repositoryId, userId),
    shortIds: NAMED_BY_ID,
    idsBeginning: (what, text) => idsBeginning(store.db, what as NamedById, text),
  }
}
