import { type ExpressionBuilder, sql } from 'kysely'
import { RUN_KINDS, type RunKind } from '../../domain/runs/run.ts'
import { DAY_MS, type Kept, type Retention } from '../../domain/retention.ts'
import { nowOf, type Queries } from '../database/context.ts'
import type { Database } from '../database/schema.ts'
import type { Store } from '../store.ts'
import { inPortions } from './portions.ts'

/** What of a run can go: the run itself, or a part of it. */
type Part = 'previews' | 'checks' | 'plans' | 'logs'

/** How many runs went, and how many lost a part. */
export type PrunedRuns = { [part in Part]: number }

interface Rule {
  part: Part
  kinds: readonly RunKind[]
  /** What has this part, in words from which a partial index is known to serve. */
  has: ReturnType<typeof sql<boolean>>
  remove: (tx: Queries, runIds: string[]) => Promise<void>
}

const ENDED = sql<boolean>`"runs"."finishedAt" is not null`

const RULES: readonly Rule[] = [
  { part: 'previews', kinds: ['preview'], has: ENDED, remove: removeRuns },
  { part: 'checks', kinds: ['drift'], has: ENDED, remove: removeRuns },
  {
    part: 'plans',
    kinds: ['preview', 'drift'],
    has: sql`"runs"."finishedAt" is not null and "runs"."planJson" is not null`,
    remove: removePlans,
  },
  {
    part: 'logs',
    kinds: RUN_KINDS,
    has: sql`"runs"."finishedAt" is not null and "runs"."logSize" > 0`,
    remove: removeLogs,
  },
]

/** Whoever follows a run reads it a little longer, however few are kept. */
const FRESH_MS = DAY_MS

interface Options {
  dryRun?: boolean
  signal?: AbortSignal
}

/**
 * Removes what is older than it is to be kept, and what is more than that, a few runs in a transaction, so that everything
 * else has its turn between two. Never what something leads to; see `leadsHere`. Never what changed anything: deployments
 * keep what they applied.
 */
export async function pruneRuns(store: Store, retention: Retention, options: Options = {}): Promise<PrunedRuns> {
  const pruned: PrunedRuns = { previews: 0, checks: 0, plans: 0, logs: 0 }
  // A dry run leaves all parts where they are: what goes with its run is not counted again.
  const gone = new Set<string>()
  for (const rule of RULES) {
    const counted = { gone, add: (count: number) => (pruned[rule.part] += count) }
    await byAge(store, rule, retention[rule.part], options, counted)
    await byCount(store, rule, retention[rule.part], options, counted)
  }
  return pruned
}

interface Counted {
  gone: Set<string>
  add: (count: number) => void
}

async function byAge(store: Store, rule: Rule, { days }: Kept, options: Options, counted: Counted): Promise<void> {
  if (days === null) return
  const before = nowOf(store.db) - days * DAY_MS
  for (const kind of rule.kinds) {
    let after = { finishedAt: 0, id: '' }
    await inPortions(store, options, async (db, most) => {
      const rows = await db
        .selectFrom('runs')
        .select(['id', 'finishedAt'])
        .where('kind', '=', kind)
        .where(rule.has)
        .where('finishedAt', '<', before)
        .where(sql<boolean>`("finishedAt", "id") > (${after.finishedAt}, ${after.id})`)
        .orderBy('finishedAt')
        .orderBy('id')
        .limit(most)
        .execute()
      const last = rows.at(-1)
      if (last) after = { finishedAt: last.finishedAt!, id: last.id }
      await go(
        db,
        rule,
        rows.map(({ id }) => id),
        options,
        counted,
      )
      return rows.length
    })
  }
}

async function byCount(store: Store, rule: Rule, { count }: Kept, options: Options, counted: Counted): Promise<void> {
  if (count === null) return
  const before = nowOf(store.db) - FRESH_MS
  let stackId = ''
  let kinds: RunKind[] = []
  let below: string | undefined
  // One step looks for the next stack and kind that has too many, or takes a few of those that it found.
  await inPortions(store, options, async (db, most) => {
    if (below === undefined) {
      const kind = kinds.shift()
      if (kind === undefined) {
        const next = await db
          .selectFrom('stacks')
          .select('id')
          .where('id', '>', stackId)
          .orderBy('id')
          .limit(1)
          .executeTakeFirst()
        if (!next) return 0
        stackId = next.id
        kinds = [...rule.kinds]
        return 1
      }
      const of = db.selectFrom('runs').select('id').where('stackId', '=', stackId).where('kind', '=', kind)
      const kept = await of
        .where(rule.has)
        .orderBy('id', 'desc')
        .offset(count - 1)
        .limit(1)
        .executeTakeFirst()
      below = kept?.id
      if (below !== undefined) kinds.unshift(kind)
      return 1
    }
    const [kind] = kinds
    const rows = await db
      .selectFrom('runs')
      .select('id')
      .where('stackId', '=', stackId)
      .where('kind', '=', kind!)
      .where('id', '<', below)
      .where(rule.has)
      .where('finishedAt', '<', before)
      .orderBy('id', 'desc')
      .limit(most)
      .execute()
    below = rows.at(-1)?.id
    if (below === undefined) kinds.shift()
    await go(
      db,
      rule,
      rows.map(({ id }) => id),
      options,
      counted,
    )
    return Math.max(rows.length, 1)
  })
}

/** Removes from these runs what nothing leads to. */
async function go(db: Queries, rule: Rule, ids: string[], { dryRun }: Options, { gone, add }: Counted): Promise<void> {
  const asked = ids.filter((id) => !gone.has(id))
  if (asked.length === 0) return
  const rows = await db
    .selectFrom('runs')
    .select('id')
    .where('id', 'in', asked)
    .where((is) => is.not(leadsHere(is)))
    .execute()
  const free = rows.map(({ id }) => id)
  if (free.length === 0) return
  add(free.length)
  if (!dryRun) await rule.remove(db, free)
  else if (rule.remove === removeRuns) for (const id of free) gone.add(id)
}

type Runs = ExpressionBuilder<Database, 'runs'>

/**
 * What stays however old it is: the newest of its kind on a stack (its status is read from it), the last deployment that
 * succeeded, what broke a stack half-way, what an open merge request shows, what found drift that still stands, what
 * deployed a state that is in quarantine, and what another run came of.
 */
function leadsHere(is: Runs) {
  return is.or([
    is.not(
      is.exists(
        is
          .selectFrom('runs as newer')
          .select('newer.id')
          .whereRef('newer.stackId', '=', 'runs.stackId')
          .whereRef('newer.kind', '=', 'runs.kind')
          .whereRef('newer.id', '>', 'runs.id'),
      ),
    ),
    is.exists(
      is
        .selectFrom('mergeRequests as m')
        .select('m.id')
        .whereRef('m.id', '=', 'runs.mrId')
        .where('m.state', 'in', ['open', 'merging']),
    ),
    is.exists(is.selectFrom('runDependencies as d').select('d.runId').whereRef('d.dependsOnRunId', '=', 'runs.id')),
    is.exists(is.selectFrom('stacks as s').select('s.id').whereRef('s.brokenByRunId', '=', 'runs.id')),
    is.exists(
      is
        .selectFrom('driftRecords as f')
        .select('f.id')
        .whereRef('f.runId', '=', 'runs.id')
        .where(sql<boolean>`"f"."state" in ('open', 'accepted')`),
    ),
    is.exists(
      is
        .selectFrom('quarantine as q')
        .select('q.id')
        .whereRef('q.stackId', '=', 'runs.stackId')
        .whereRef('q.desiredDigest', '=', 'runs.desiredDigest')
        .where('q.liftedAt', 'is', null),
    ),
    is.exists(
      is
        .selectFrom('deployments as p')
        .select('p.id')
        .whereRef('p.runId', '=', 'runs.id')
        .where('p.status', '=', 'succeeded')
        .where((it) =>
          it.not(
            it.exists(
              it
                .selectFrom('deployments as later')
                .select('later.id')
                .whereRef('later.stackId', '=', 'p.stackId')
                .where('later.status', '=', 'succeeded')
                .whereRef('later.id', '>', 'p.id'),
            ),
          ),
        ),
    ),
  ])
}

async function removeRuns(tx: Queries, ids: string[]): Promise<void> {
  await tx.deleteFrom('runLogs').where('runId', 'in', ids).execute()
  await tx.deleteFrom('runDependencies').where('runId', 'in', ids).execute()
  await tx.deleteFrom('runs').where('id', 'in', ids).execute()
}

async function removeLogs(tx: Queries, ids: string[]): Promise<void> {
  await tx.deleteFrom('runLogs').where('runId', 'in', ids).execute()
  // A reader goes on until it has read as much as there is.
  await tx.updateTable('runs').set({ logSize: 0, logBase: 0 }).where('id', 'in', ids).execute()
}

async function removePlans(tx: Queries, ids: string[]): Promise<void> {
  const nothing = { planJson: null, checksJson: null, verifyJson: null, resultJson: null, approvedPlanJson: null }
  await tx.updateTable('runs').set(nothing).where('id', 'in', ids).execute()
}
