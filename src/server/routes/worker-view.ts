import { keyIdOf } from '../../domain/wire/request-proof.ts'
import { allRepositories } from '../../store/changes/repositories.ts'
import type { Store } from '../../store/open.ts'
import type { Worker as WorkerRow } from '../../store/workers/workers.ts'
import type { Worker } from '../schemas/operations.ts'

/** Workers as the API shows them. */
export async function workerView(
  store: Store,
  connectedIds: readonly string[],
  rows: readonly WorkerRow[],
): Promise<Worker[]> {
  const connected = new Set(connectedIds)
  const named = new Map((await allRepositories(store.db)).map(({ id, name }) => [id, name]))
  return rows.map((row) => ({
    id: row.id,
    name: row.name,
    kind: row.kind,
    pools: row.pools,
    repositories: row.repositories.map((id) => named.get(id) ?? id),
    environments: row.environments,
    builtin: row.builtin,
    connected: connected.has(row.id),
    key: {
      id: keyIdOf(row.publicKey),
      since: row.keyChangedAt ?? row.createdAt,
      formerUntil: row.formerKeyUntil,
      askedAt: row.keyAskedAt,
    },
    info: row.info,
    lastSeenAt: row.lastSeenAt,
    revokedAt: row.revokedAt,
    createdAt: row.createdAt,
  }))
}
