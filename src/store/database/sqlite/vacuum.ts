import { sql } from 'kysely'
import type { Queries } from '../context.ts'

/** How pages that were given free leave the file: `none` only by `vacuum`, `incremental` also a few at a time. */
export type VacuumMode = 'none' | 'full' | 'incremental'

/** Pages of the file, and how many of them hold nothing. */
export interface FreePages {
  mode: VacuumMode
  pages: number
  free: number
  pageSize: number
}

/** https://sqlite.org/pragma.html#pragma_auto_vacuum */
const MODES: readonly VacuumMode[] = ['none', 'full', 'incremental']

export async function freePages(db: Queries): Promise<FreePages> {
  return {
    mode: MODES[await pragma(db, 'auto_vacuum')] ?? 'none',
    pages: await pragma(db, 'page_count'),
    free: await pragma(db, 'freelist_count'),
    pageSize: await pragma(db, 'page_size'),
  }
}

/** Takes free pages off the end of the file, at most as many. Each is a statement: one that takes many is stepped once only. */
export async function giveBackPages(tx: Queries, most: number): Promise<void> {
  for (let at = 0; at < most; at++) await sql`${sql.raw('pragma incremental_vacuum(1)')}`.execute(tx)
}

/**
 * Writes the whole database anew, without free pages, and so that later ones can be given back a few at a time. Nobody else
 * may use it meanwhile; it needs twice its size on the disk. All or nothing: SQLite puts the old one back after a crash.
 */
export async function vacuumWhole(db: Queries): Promise<void> {
  for (const statement of ['pragma auto_vacuum = incremental', 'vacuum', 'pragma wal_checkpoint(truncate)'])
    await sql`${sql.raw(statement)}`.execute(db)
}

async function pragma(db: Queries, name: string): Promise<number> {
  const { rows } = await sql<{ [name: string]: number }>`${sql.raw(`pragma ${name}`)}`.execute(db)
  return Number(Object.values(rows[0] ?? { none: 0 })[0])
}
