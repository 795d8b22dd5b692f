import type { DatabaseSync } from 'node:sqlite'
import { AloneReport } from '../protocol.ts'

/** Reports that wait; beyond that the oldest go, and the number of the next one tells that some are missing. */
const MOST = 5_000

/** What an agent did while the server was away, in its order, on the disk until the server has it. */
export interface Reports {
  add(report: Omit<AloneReport, 'number'>): void
  /** The oldest that waits. */
  first(): AloneReport | undefined
  remove(number: number): void
  /** How many wait. */
  count(): number
}

export function openReports(database: DatabaseSync): Reports {
  database.exec(
    'CREATE TABLE IF NOT EXISTS reports (number INTEGER PRIMARY KEY AUTOINCREMENT, report TEXT NOT NULL) STRICT',
  )
  const insert = database.prepare('INSERT INTO reports (report) VALUES (?)')
  const bound = database.prepare('DELETE FROM reports WHERE number <= (SELECT max(number) FROM reports) - ?')
  const oldest = database.prepare('SELECT number, report FROM reports ORDER BY number LIMIT 1')
  const remove = database.prepare('DELETE FROM reports WHERE number = ?')
  const counted = database.prepare('SELECT count(*) AS count FROM reports')
  return {
    add(report) {
      insert.run(JSON.stringify(report))
      bound.run(MOST)
    },
    first() {
      const row = oldest.get() as { number: number; report: string } | undefined
      return row && AloneReport.parse({ ...(JSON.parse(row.report) as object), number: row.number })
    },
    count: () => Number((counted.get() as { count: number }).count),
    remove: (number) => void remove.run(number),
  }
}
