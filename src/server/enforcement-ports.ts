import { findRepositoryByName, getRepository } from '../store/changes/repositories.ts'
import { roleIn } from '../store/people/members.ts'
import type { ServerParts } from './parts.ts'
import type { WorkerIdentity } from './worker/identity.ts'
import { TrueupError } from '../lib/errors/error.ts'
import { authenticateRequest, NO_TOKEN, RefusedToken } from './auth/authenticate.ts'
import type { Refusals } from './auth/refusals.ts'
import type { EnforcementPorts } from './auth/enforce.ts'
import { idsBeginning, NAMED_BY_ID, type NamedById } from '../store/database/short-id.ts'

/** Enforcement on the store. */
export function enforcementPorts(
  { store, engine, publicUrl }: Pick<ServerParts, 'store' | 'engine' | 'publicUrl'>,
  workers: WorkerIdentity,
  refusals: Refusals,
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
    refused(request, thrown, principal) {
      if (!(thrown instanceof TrueupError)) return
      const { ip: address, routeOptions } = request
      const { why } = thrown.text
      const action = routeOptions.config.action as string
      if (principal !== null && (thrown.code === 'FORBIDDEN' || thrown.code === 'SECOND_FACTOR_MISSING'))
        refusals.note({ kind: 'right', address, why, userId: principal.userId, token: principal.tokenId, action })
      if (thrown.status !== 401 || why === NO_TOKEN) return
      if (action === 'worker') refusals.note({ kind: 'worker', address, why: thrown.code })
      else if (thrown instanceof RefusedToken)
        refusals.note({ kind: 'token', address, why, userId: thrown.token.userId, token: thrown.token.id })
      else refusals.note({ kind: 'token', address, why })
    },
    shortIds: NAMED_BY_ID,
    idsBeginning: (what, text) => idsBeginning(store.db, what as NamedById, text),
  }
}
