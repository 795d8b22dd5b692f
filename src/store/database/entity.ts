import type { Insertable, Kysely, Selectable } from 'kysely'
import { TrueupError } from '../../lib/errors/error.ts'
import { newId } from '../../lib/ids.ts'
import { type Codec, makeCodec } from './codec.ts'
import { type Change, noteChange, nowOf, type Queries } from './context.ts'
import { type Page, type PageRequest, pageLimit, pageOf } from './page.ts'
import type { Database } from './schema.ts'
import { isUniqueViolation } from './sqlite/errors.ts'

type Nullable<T> = { [K in keyof T]-?: null extends T[K] ? K : never }[keyof T]
type Filled = 'id' | 'createdAt' | 'updatedAt'
/** What an insert must be given: id and times are filled in, whatever may be null is null where absent. */
export type New<T> = Omit<T, Nullable<T> | Filled> & Partial<Pick<T, Extract<keyof T, Nullable<T> | Filled>>>

/** The queries that every table with an `id` has. Ids sort by time, so lists are in order of creation. */
export interface Entity<T> {
  /** CONFLICT when a unique key is taken. */
  insert(tx: Queries, value: New<T>): Promise<T>
  get(db: Queries, id: string): Promise<T | undefined>
  /** NOT_FOUND where there is none. */
  require(db: Queries, id: string): Promise<T>
  /** The oldest that has all these members (null matches null, absent and undefined match anything). */
  find(db: Queries, match: Partial<T>): Promise<T | undefined>
  /** NOT_FOUND where there is none, CONFLICT when a unique key is taken. Sets `updatedAt` where the table has it. */
  update(tx: Queries, id: string, patch: Partial<T>): Promise<T>
  list(db: Queries, match: Partial<T>, page: PageRequest, order?: 'asc' | 'desc'): Promise<Page<T>>
  /** Without a page: for sets that are small by their nature (variables of a repository, comments of a merge request). */
  all(db: Queries, match: Partial<T>, order?: 'asc' | 'desc'): Promise<T[]>
}

type EntityTable = { [Table in keyof Database]: Database[Table] extends { id: string } ? Table : never }[keyof Database]

export interface EntitySpec<Table extends EntityTable, T> {
  table: Table
  /** Prefix of new ids. */
  prefix: string
  /** The thing's name in error texts; default: the prefix. */
  noun?: string
  codec: Codec<Database[Table], T>
  /** Columns that are filled in; default: `createdAt`. */
  times?: readonly ('createdAt' | 'updatedAt')[]
  /** What subscribers are told of a write. */
  change?(value: T): Change
}

/** Kysely cannot follow a table name that is a type parameter; the columns are checked by the codec's types instead. */
type AnyRow = { [column: string]: unknown }
type AnyTables = Kysely<{ [table: string]: AnyRow }>
const untyped = (queries: Queries): AnyTables => queries as unknown as AnyTables

/** An entity whose values are its rows as they stand: no column holds JSON or a flag. */
export function makePlainEntity<Table extends EntityTable>(
  spec: Omit<EntitySpec<Table, Database[Table]>, 'codec'>,
): Entity<Database[Table]> {
  return makeEntity<Table, Database[Table]>({ ...spec, codec: makeCodec({}) })
}

export function makeEntity<Table extends EntityTable, T extends { id: string }>(spec: EntitySpec<Table, T>): Entity<T> {
  const { table, noun = spec.prefix, codec, times = ['createdAt'] } = spec
  const fromRow = (row: Selectable<AnyRow>): T => codec.fromRow(row as Database[Table])
  const toRow = (value: object): Insertable<AnyRow> => codec.toRow(value as Partial<T>) as AnyRow
  const note = (tx: Queries, value: T): T => {
    if (spec.change) noteChange(tx, spec.change(value))
    return value
  }
  const matching = (db: Queries, match: Partial<T>) => {
    let query = untyped(db)
      .selectFrom(table as string)
      .selectAll()
    for (const [column, value] of Object.entries(toRow(match)))
      query = value === null ? query.where(column, 'is', null) : query.where(column, '=', value)
    return query
  }
  const get = async (db: Queries, id: string): Promise<T | undefined> => {
    const row = await untyped(db)
      .selectFrom(table as string)
      .selectAll()
      .where('id', '=', id)
      .executeTakeFirst()
    return row && fromRow(row)
  }
  return {
    get,
    async insert(tx, value) {
      const now = nowOf(tx)
      const filled = { id: newId(spec.prefix, now), ...Object.fromEntries(times.map((time) => [time, now])), ...value }
      const insert = untyped(tx)
        .insertInto(table as string)
        .values(toRow(filled))
        .returningAll()
      const row = await insert.executeTakeFirstOrThrow().catch(refuseTwice(`making a ${noun}`))
      return note(tx, fromRow(row))
    },
    async require(db, id) {
      const value = await get(db, id)
      if (!value) throw missing(`reading ${noun} ${id}`)
      return value
    },
    async find(db, match) {
      const row = await matching(db, match).orderBy('id').limit(1).executeTakeFirst()
      return row && fromRow(row)
    },
    async update(tx, id, patch) {
      const set: AnyRow = { ...toRow(patch), ...(times.includes('updatedAt') && { updatedAt: nowOf(tx) }) }
      delete set.id
      if (Object.keys(set).length === 0) return this.require(tx, id)
      const update = untyped(tx)
        .updateTable(table as string)
        .set(set)
        .where('id', '=', id)
        .returningAll()
      const row = await update.executeTakeFirst().catch(refuseTwice(`changing ${noun} ${id}`))
      if (!row) throw missing(`changing ${noun} ${id}`)
      return note(tx, fromRow(row))
    },
    async list(db, match, page, order = 'desc') {
      let query = matching(db, match)
      if (page.cursor !== undefined) query = query.where('id', order === 'desc' ? '<' : '>', page.cursor)
      const rows = await query
        .orderBy('id', order)
        .limit(pageLimit(page) + 1)
        .execute()
      return pageOf(rows.map(fromRow), page, (value) => value.id)
    },
    async all(db, match, order = 'asc') {
      return (await matching(db, match).orderBy('id', order).execute()).map(fromRow)
    },
  }

  function missing(doing: string): TrueupError {
    return new TrueupError('NOT_FOUND', { doing, why: `there is no ${noun} with this id` })
  }

  function refuseTwice(doing: string): (error: unknown) => never {
    return (error) => {
      if (!isUniqueViolation(error)) throw error
      throw new TrueupError('CONFLICT', { doing, why: `there is one with the same key already`, cause: error })
    }
  }
}
