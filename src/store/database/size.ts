/** Bytes of a database and of its largest parts, an index with its table. */
export interface DatabaseSize {
  bytes: number
  /** Of them, what was given free and is used next. */
  free: number
  /** Whether what is free can be given back to the disk while the database is in use. */
  shrinks: boolean
  tables: { table: string; bytes: number }[]
}
