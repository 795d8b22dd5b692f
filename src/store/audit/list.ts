import { type RawBuilder, sql } from 'kysely'
import type { Queries } from '../database/context.ts'
import { type Page, type PageRequest, pageLimit } from '../database/page.ts'
import { type AuditEvent, auditCodec } from './audit.ts'

export interface AuditFilter {
  actor?: string
  /** Exact, or a prefix that ends with a dot: `run.`. */
  action?: string
  subject?: string
  repositoryId?: string
  /** Milliseconds since the epoch, inclusive and exclusive. */
  from?: number
  until?: number
}

/** Events that one step looks at, and steps of one page: what an index cannot answer must not hold up everything else. */
const WINDOW = 2_000
const WINDOWS = 20

type Condition = RawBuilder<unknown>

/** How the events are walked along: through an index (one part for each of its values), with what it cannot tell. */
interface Way {
  parts: Condition[]
  rest: Condition[]
  /** Times of two events may be in another order than their numbers, where the clock was set back. */
  order: 'number' | 'time'
}

/** A place between two events. */
interface Place {
  at: number
  seq: number
}

/**
 * Events newest first: by their number, and by their time where the filter is of times before all. A page may hold fewer
 * than asked for, or none, and still have a next one: where several filters meet, only so many events are looked at.
 */
export async function listAudit(
  db: Queries,
  filter: AuditFilter = {},
  page: PageRequest = {},
): Promise<Page<AuditEvent>> {
  const way = await wayOf(db, filter)
  const limit = pageLimit(page)
  let before = placeOf(page.cursor)
  const found: AuditEvent[] = []
  // Without a rest every event that is looked at counts, and the first window has the page.
  const window = way.rest.length === 0 ? limit + 1 : WINDOW
  for (let looked = 0; looked < WINDOWS && found.length <= limit; looked++) {
    const last = await lastOf(db, way, before, window)
    if (last === null) return { items: found, next: null }
    found.push(...(await eventsOf(db, way, { before, window, limit: limit + 1 - found.length })))
    before = last
  }
  const items = found.slice(0, limit)
  const end = found.length > limit ? items.at(-1)! : before!
  return { items, next: `${end.at}:${end.seq}` }
}

function placeOf(cursor: string | undefined): Place | null {
  const [, at, seq] = /^(\d+):(\d+)$/.exec(cursor ?? '') ?? []
  return at === undefined || seq === undefined ? null : { at: Number(at), seq: Number(seq) }
}

async function wayOf(db: Queries, { actor, action, subject, repositoryId, from, until }: AuditFilter): Promise<Way> {
  const equal = (column: string, value: string | undefined): Condition[] =>
    value === undefined ? [] : [sql`${sql.ref(column)} = ${value}`]
  const times = [
    ...(from === undefined ? [] : [sql`"at" >= ${from}`]),
    ...(until === undefined ? [] : [sql`"at" < ${until}`]),
  ]
  const conditions = {
    subject: equal('subject', subject),
    // What Trueup itself does is nearly everything, and so no way.
    person: actor === 'system' ? [] : equal('actor', actor),
    action: action === undefined ? [] : [actionIs(action)],
    times,
    repository: equal('repositoryId', repositoryId),
    system: actor === 'system' ? equal('actor', actor) : [],
  }
  const [way, ...others] = Object.entries(conditions).filter(([, list]) => list.length > 0)
  const rest = others.flatMap(([, list]) => list)
  if (way === undefined) return { parts: [sql`1 = 1`], rest, order: 'number' }
  const [name, list] = way
  if (name === 'times') return { parts: [sql.join(list, sql` and `)], rest, order: 'time' }
  const parts = name === 'action' && action!.endsWith('.') ? await actionsWith(db, action!) : list
  return { parts, rest, order: 'number' }
}

/** '/' is the character after '.': the range holds what begins with the prefix, without LIKE and its wildcards. */
const endOf = (prefix: string): string => `${prefix.slice(0, -1)}/`

const actionIs = (action: string): Condition =>
  action.endsWith('.') ? sql`"action" >= ${action} and "action" < ${endOf(action)}` : sql`"action" = ${action}`

/** The actions with a prefix that there are, a part each: one step in an index for each. */
async function actionsWith(db: Queries, prefix: string): Promise<Condition[]> {
  const parts: Condition[] = []
  const actions = db.selectFrom('audit').select('action').where('action', '<', endOf(prefix)).orderBy('action').limit(1)
  let next = await actions.where('action', '>=', prefix).executeTakeFirst()
  while (next) {
    parts.push(sql`"action" = ${next.action}`)
    next = await actions.where('action', '>', next.action).executeTakeFirst()
  }
  // No action ends with a dot: nothing, found in one step.
  return parts.length === 0 ? [sql`"action" = ${prefix}`] : parts
}

const newestFirst = ({ order }: Way): Condition => (order === 'time' ? sql`"at" desc, "seq" desc` : sql`"seq" desc`)

/** The places of the next `window` events. */
function placesOf(way: Way, before: Place | null, window: number): Condition {
  const below =
    before === null
      ? sql``
      : way.order === 'time'
        ? sql` and ("at", "seq") < (${before.at}, ${before.seq})`
        : sql` and "seq" < ${before.seq}`
  const order = newestFirst(way)
  const parts = way.parts.map(
    (part) =>
      sql`select "at", "seq" from (select "at", "seq" from "audit" where ${part}${below} order by ${order} limit ${window}) as "part"`,
  )
  const all = sql.join(parts, sql` union all `)
  return sql`(select "at", "seq" from (${all}) as "parts" order by ${order} limit ${window})`
}

async function eventsOf(
  db: Queries,
  way: Way,
  { before, window, limit }: { before: Place | null; window: number; limit: number },
): Promise<AuditEvent[]> {
  const within = sql<boolean>`"seq" in (select "seq" from ${placesOf(way, before, window)} as "window")`
  let query = db.selectFrom('audit').selectAll().where(within)
  for (const condition of way.rest) query = query.where(sql<boolean>`${condition}`)
  const rows = await query
    .orderBy(sql`${newestFirst(way)}`)
    .limit(limit)
    .execute()
  return rows.map(auditCodec.fromRow)
}

/** Where the next window ends; null where no event is left. */
async function lastOf(db: Queries, way: Way, before: Place | null, window: number): Promise<Place | null> {
  const places = placesOf(way, before, window)
  const oldest = way.order === 'time' ? sql`"at", "seq"` : sql`"seq"`
  const query = sql<Place>`select "at", "seq" from ${places} as "window" order by ${oldest} limit 1`
  return (await query.execute(db)).rows[0] ?? null
}
