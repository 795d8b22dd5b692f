import { LOOK_EVERY_MS } from '../../engine/connections/looks.ts'
import type { Role } from '../../domain/roles.ts'
import type { Repository as Row } from '../../store/changes/repositories.ts'
import { type Connection, connectionOf } from '../../store/forges/connections.ts'
import { mayDo, type Principal } from '../auth/permissions.ts'
import type { ServerParts } from '../parts.ts'
import type { Repository } from '../schemas/repositories.ts'

/** A repository as the API shows it to somebody. */
export async function showRepository(
  { store, engine, publicUrl }: Pick<ServerParts, 'store' | 'engine' | 'publicUrl'>,
  principal: Principal,
  row: Row,
  role: Role | null,
): Promise<Repository> {
  const connection = row.forge === 'builtin' ? undefined : await connectionOf(store.db, row.id)
  return {
    id: row.id,
    name: row.name,
    forge: row.forge,
    defaultBranch: row.defaultBranch,
    gitUrl: `${publicUrl()}/git/${row.name}.git`,
    role,
    damage: engine.parts.unusable.why(row.id),
    connection: connection ? showConnection(connection) : null,
    may: mayDo(principal, { id: row.id, name: row.name, role }),
    createdAt: row.createdAt,
  }
}

const showConnection = (its: Connection): NonNullable<Repository['connection']> => ({
  url: `${its.address}/${its.path}`,
  account: its.botName,
  lookedAt: its.lookedAt,
  lookEveryMs: LOOK_EVERY_MS,
  problem: its.problem,
  webhook: its.hookId !== null && its.hookProblem === null,
  webhookProblem: its.hookProblem,
  requests:
    its.requestsLeft === null || its.requestsLimit === null
      ? null
      : { left: its.requestsLeft, limit: its.requestsLimit, resetAt: its.requestsResetAt },
})
