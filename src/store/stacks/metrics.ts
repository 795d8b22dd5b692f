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

const DAY_MS = 86_400_000
/** Beyond it the oldest are left out; the answer says so. */
const MOST = 50_000

/** How delivery went since a time, a day each, days without anything too. `partial`: older ones were left out. */
export async function deliveryDays(
  db: Queries,
  { repositoryId, since, now }: { repositoryId: string; since: number; now: number },
): Promise<{ days: DeliveryDay[]; partial: boolean }> {
  const deployments = await db
    .selectFrom('deployments')
    .leftJoin('mergeRequests', 'mergeRequests.id', 'deployments.mrId')
    .select(['deployments.stackId', 'deployments.kind', 'deployments.status', 'deployments.finishedAt'])
    .select('mergeRequests.createdAt as openedAt')
    .where('deployments.repositoryId', '=', repositoryId)
    .where('deployments.finishedAt', '>=', since)
    .orderBy('deployments.finishedAt', 'desc')
    .limit(MOST)
    .execute()
  const healed = await db
    .selectFrom('driftRecords')
    .innerJoin('stacks', 'stacks.id', 'driftRecords.stackId')
    .select(['driftRecords.since', 'driftRecords.closedAt'])
    .where('stacks.repositoryId', '=', repositoryId)
    .where('driftRecords.state', '=', 'healed')
    .where('driftRecords.closedAt', '>=', since)
    .orderBy('driftRecords.closedAt', 'desc')
    .limit(MOST)
    .execute()
  const first = Math.floor(since / DAY_MS) * DAY_MS
  const count = Math.floor((now - first) / DAY_MS) + 1
  const days = Array.from({ length: count }, (_, at) => ({ deployed: 0, failed: 0, heals: 0, at: first + at * DAY_MS }))
  const of = (at: number): number => Math.min(Math.floor((at - first) / DAY_MS), count - 1)
  const lead = new Map<number, number[]>()
  const restore = new Map<number, number[]>()
  const drift = new Map<number, number[]>()
  const brokenSince = new Map<string, number>()
  for (const { stackId, kind, status, finishedAt, openedAt } of deployments.reverse()) {
    const day = of(finishedAt)
    if (kind === 'heal') {
      days[day]!.heals++
      continue
    }
    if (status === 'failed') {
      days[day]!.failed++
      if (!brokenSince.has(stackId)) brokenSince.set(stackId, finishedAt)
      continue
    }
    days[day]!.deployed++
    if (openedAt !== null) note(lead, day, finishedAt - openedAt)
    const broken = brokenSince.get(stackId)
    if (broken !== undefined) note(restore, day, finishedAt - broken)
    brokenSince.delete(stackId)
  }
  for (const { since: began, closedAt } of healed) if (closedAt !== null) note(drift, of(closedAt), closedAt - began)
  return {
    days: days.map(({ at, ...counts }, day) => ({
      day: at,
      ...counts,
      leadMs: median(lead.get(day)),
      restoreMs: median(restore.get(day)),
      driftMs: median(drift.get(day)),
    })),
    partial: deployments.length === MOST || healed.length === MOST,
  }
}

function note(by: Map<number, number[]>, day: number, ms: number): void {
  const known = by.get(day)
  if (known) known.push(ms)
  else by.set(day, [ms])
}

function median(values: readonly number[] | undefined): number | null {
  if (!values || values.length === 0) return null
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
