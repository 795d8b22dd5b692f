import { DAY_MS, type Kept } from '../../domain/retention.ts'
import { nowOf, type Queries } from '../database/context.ts'
import type { Store } from '../store.ts'
import { inPortions } from './portions.ts'

/** Which state is looked at, and from which number on its versions stay by their number. */
interface Place {
  stackId: string
  workspace: string
  latest: number
}

/** Removes versions of Terraform states that are too old or too many, a few in a transaction. The current one stays. */
export async function pruneStates(
  store: Store,
  { days, count }: Kept,
  { dryRun = false, signal }: { dryRun?: boolean; signal?: AbortSignal } = {},
): Promise<number> {
  const before = days === null ? 0 : nowOf(store.db) - days * DAY_MS
  let at: Place | undefined
  let after = 0
  let gone = 0
  await inPortions(store, { dryRun, signal }, async (db, most) => {
    if (at === undefined || after >= at.latest) {
      at = await nextState(db, at)
      after = 0
      if (at === undefined) return 0
    }
    const { stackId, workspace, latest } = at
    const mostKept = count === null ? 0 : latest - count
    // In order of their numbers they are in order of their age: the first one that stays is where all others stay.
    const rows = await db
      .selectFrom('stateVersions')
      .select('version')
      // Beside the content, which would have to be read for it.
      .select((is) => (days === null ? is.val(0) : is.ref('createdAt')).as('createdAt'))
      .where('stackId', '=', stackId)
      .where('workspace', '=', workspace)
      .where('version', '>', after)
      .where('version', '<', latest)
      .orderBy('version')
      .limit(most)
      .execute()
    const stays = rows.findIndex(({ version, createdAt }) => version > mostKept && createdAt >= before)
    const leaving = stays === -1 ? rows : rows.slice(0, stays)
    const last = leaving.at(-1)
    after = stays === -1 && rows.length === most && last ? last.version : latest
    gone += leaving.length
    if (last && !dryRun)
      await db
        .deleteFrom('stateVersions')
        .where('stackId', '=', stackId)
        .where('workspace', '=', workspace)
        .where('version', '<=', last.version)
        .execute()
    return 1
  })
  return gone
}

/** The state after another one, in the order of their index. */
async function nextState(db: Queries, at: Place | undefined): Promise<Place | undefined> {
  const states = db
    .selectFrom('stateVersions')
    .select(['stackId', 'workspace'])
    .orderBy('stackId')
    .orderBy('workspace')
    .limit(1)
  const here =
    at && (await states.where('stackId', '=', at.stackId).where('workspace', '>', at.workspace).executeTakeFirst())
  const next = here ?? (await states.where('stackId', '>', at?.stackId ?? '').executeTakeFirst())
  if (!next) return undefined
  const { stackId, workspace } = next
  const { latest } = await db
    .selectFrom('stateVersions')
    .select((state) => state.fn.max('version').as('latest'))
    .where('stackId', '=', stackId)
    .where('workspace', '=', workspace)
    .executeTakeFirstOrThrow()
  return { stackId, workspace, latest }
}
