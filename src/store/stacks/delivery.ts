import type { Queries } from '../database/context.ts'

/** Deployments and heals of one day (UTC); times are medians in milliseconds, null where there was none. */
export interface DeliveryDay {
  /** Its beginning, milliseconds. */
  day: number
  deployed: number
  failed: number
  heals: number
  /** From the opening of the merge request to the deployment. */
  leadMs: number | null
  /** From a failed deployment of a stack to its next good one, by the day of the good one. */
  restoreMs: number | null
  /** From drift to its heal. */
  driftMs: number | null
}

/** How delivery went, a day each, days without anything too. `partial`: a day had more than is read of it. */
export interface Delivery {
  days: DeliveryDay[]
  partial: boolean
}

/** What is known of the days from one on, as far as they are over. */
interface Past extends Delivery {
  /** Which stacks were broken at the end of them, and since when. */
  broken: ReadonlyMap<string, number>
}

/** Days that are over, by repository and first day: they do not change, and reading a month anew would cost a tenth of a second. */
export type DeliveryMemory = Map<string, Past>

const DAY_MS = 86_400_000
/** What ended before midnight is written soon after it. */
const WRITTEN_MS = 3_600_000
/** Of a day; beyond it the last are left out, and the answer says so. */
const MOST = 50_000
const REMEMBERED = 100
const NOTHING: Past = { days: [], partial: false, broken: new Map() }

/**
 * How delivery went from the day of `since` to that of `now`. `memory` keeps what is over between calls, so that only today is
 * read.
 */
export async function deliveryDays(
  db: Queries,
  { repositoryId, since, now }: { repositoryId: string; since: number; now: number },
  memory: DeliveryMemory = new Map(),
): Promise<Delivery> {
  const first = Math.floor(since / DAY_MS) * DAY_MS
  const key = `${repositoryId} ${first}`
  let seen = memory.get(key) ?? NOTHING
  for (let day = first + seen.days.length * DAY_MS; day <= now; day += DAY_MS) {
    seen = join(seen, await readDay(db, repositoryId, day, seen.broken))
    if (day + DAY_MS + WRITTEN_MS <= now) remember(memory, key, seen)
  }
  return { days: seen.days, partial: seen.partial }
}

const join = (past: Past, { partial, broken, days }: Past): Past => ({
  days: [...past.days, ...days],
  partial: past.partial || partial,
  broken,
})

function remember(memory: DeliveryMemory, key: string, past: Past): void {
  memory.delete(key)
  memory.set(key, past)
  const [oldest] = memory.keys()
  if (memory.size > REMEMBERED && oldest !== undefined) memory.delete(oldest)
}

async function readDay(
  db: Queries,
  repositoryId: string,
  day: number,
  brokenBefore: ReadonlyMap<string, number>,
): Promise<Past> {
  const deployments = await db
    .selectFrom('deployments')
    .leftJoin('mergeRequests', 'mergeRequests.id', 'deployments.mrId')
    .select(['deployments.stackId', 'deployments.kind', 'deployments.status', 'deployments.finishedAt'])
    .select('mergeRequests.createdAt as openedAt')
    .where('deployments.repositoryId', '=', repositoryId)
    .where('deployments.finishedAt', '>=', day)
    .where('deployments.finishedAt', '<', day + DAY_MS)
    .orderBy('deployments.finishedAt')
    .limit(MOST)
    .execute()
  const healed = await db
    .selectFrom('driftRecords')
    .select(['since', 'closedAt'])
    .where('repositoryId', '=', repositoryId)
    .where('state', '=', 'healed')
    .where('closedAt', '>=', day)
    .where('closedAt', '<', day + DAY_MS)
    .limit(MOST)
    .execute()
  const counts = { deployed: 0, failed: 0, heals: 0 }
  const lead: number[] = []
  const restore: number[] = []
  const broken = new Map(brokenBefore)
  for (const { stackId, kind, status, finishedAt, openedAt } of deployments) {
    if (kind === 'heal') counts.heals++
    else if (status === 'failed') {
      counts.failed++
      if (!broken.has(stackId)) broken.set(stackId, finishedAt)
    } else {
      counts.deployed++
      if (openedAt !== null) lead.push(finishedAt - openedAt)
      const since = broken.get(stackId)
      if (since !== undefined) restore.push(finishedAt - since)
      broken.delete(stackId)
    }
  }
  const drift = healed.flatMap(({ since, closedAt }) => (closedAt === null ? [] : [closedAt - since]))
  const times = { leadMs: median(lead), restoreMs: median(restore), driftMs: median(drift) }
  return {
    days: [{ day, ...counts, ...times }],
    partial: deployments.length === MOST || healed.length === MOST,
    broken,
  }
}

function median(values: readonly number[]): number | null {
  if (values.length === 0) return null
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
