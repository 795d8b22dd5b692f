import type { Kysely } from 'kysely'

/** One step of the schema, forward only. The number is its place for ever. */
export interface Migration {
  number: number
  name: string
  /** True when a program that does not know this migration must not use the data any more. */
  breaking: boolean
  up(db: Kysely<unknown>, dialect: MigrationDialect): Promise<void>
}

/** The few names that differ between the databases. */
export interface MigrationDialect {
  name: 'sqlite' | 'postgres'
  /** Column type for bytes. */
  bytes: 'blob' | 'bytea'
}

/** A part of a migration: some of its tables. */
export type MigrationStep = Migration['up']
