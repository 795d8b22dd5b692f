import { LEASED_STATES } from '../../domain/runs/run.ts'
import { toolsOf } from '../../domain/runs/programs.ts'
import { keyIdOf } from '../../domain/wire/request-proof.ts'
import { allRepositories } from '../../store/changes/repositories.ts'
import type { Store } from '../../store/open.ts'
import { roleIn } from '../../store/people/members.ts'
import { listRuns, type RunSummary } from '../../store/runs/runs.ts'
import type { Worker as WorkerRow } from '../../store/workers/workers.ts'
import type { Principal } from '../auth/permissions.ts'
import type { Worker } from '../schemas/operations.ts'
import { namesOf } from './names.ts'

/** Runs that one list shows beside its workers. */
const RUNS_AT_MOST = 500

/** Workers as the API shows them to somebody, with what they do now. */
export async function workerView(
  store: Store,
  { connectedIds, principal }: { connectedIds: readonly string[]; principal: Principal },
  rows: readonly WorkerRow[],
): Promise<Worker[]> {
  const connected = new Set(connectedIds)
  const named = new Map((await allRepositories(store.db)).map(({ id, name }) => [id, name]))
  const doing = await whatTheyDo(store, rows, principal)
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
    tools: toolsOf(row.info) ?? null,
    clockSkewMs: typeof row.info['clockSkewMs'] === 'number' ? row.info['clockSkewMs'] : null,
    draining: row.info['draining'] === true,
    ...doing(row.id),
    lastSeenAt: row.lastSeenAt,
    revokedAt: row.revokedAt,
    createdAt: row.createdAt,
  }))
}

type Doing = Pick<Worker, 'runs' | 'otherRuns'>

/** The runs that each of them holds; of repositories in which the person has no role only how many. */
async function whatTheyDo(
  store: Store,
  rows: readonly WorkerRow[],
  { kind, userId }: Principal,
): Promise<(workerId: string) => Doing> {
  const filter = { states: LEASED_STATES, ...(rows.length === 1 && { heldBy: rows[0]!.id }) }
  const { items } = await listRuns(store.db, filter, { limit: RUNS_AT_MOST })
  const names = await namesOf(
    { store },
    {
      stacks: items.map(({ stackId }) => stackId),
      repositories: items.map(({ repositoryId }) => repositoryId),
    },
  )
  const seen = new Set<string>()
  for (const id of new Set(items.map(({ repositoryId }) => repositoryId)))
    if (kind === 'admin' || (await roleIn(store.db, id, userId)) !== null) seen.add(id)
  return (workerId) => {
    const held = items.filter((run) => run.workerId === workerId)
    const shown = held.filter(({ repositoryId }) => seen.has(repositoryId))
    const view = ({ id, repositoryId, stackId, kind: what, state, startedAt }: RunSummary): Worker['runs'][number] => ({
      id,
      repository: names.repository(repositoryId),
      stack: names.stack(stackId),
      kind: what,
      state,
      startedAt,
    })
    return { runs: shown.map(view), otherRuns: held.length - shown.length }
  }
}
