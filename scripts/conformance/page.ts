import { readFileSync, writeFileSync } from 'node:fs'
import { z } from 'zod'
import { Column } from './results.ts'
import { tableOf } from './table.ts'

const RESULTS = new URL('../../docs/drivers/conformance.json', import.meta.url)
/** Stands before the table, with the options that make it. */
const BEGIN = /<!-- table: npm run conformance -- .*-->/
const END = '<!-- end of the table -->'

/** What the page shows now. */
export const keptResults = (): Column[] => z.array(Column).parse(JSON.parse(readFileSync(RESULTS, 'utf8')))

/** Puts them beside the page, and the table that they make into it. */
export function writeResults(columns: readonly Column[]): void {
  writeTable('drivers/conformance.md', tableOf(columns))
  writeFileSync(RESULTS, `${JSON.stringify(columns, null, 2)}\n`)
}

/** Puts a table into a page of docs/, between its marks. */
export function writeTable(page: string, table: string): void {
  const file = new URL(`../../docs/${page}`, import.meta.url)
  const text = readFileSync(file, 'utf8')
  const begin = BEGIN.exec(text)
  const end = text.indexOf(END)
  if (!begin || end < begin.index) throw new Error(`docs/${page} lacks the marks around its table`)
  const before = text.slice(0, begin.index + begin[0].length)
  writeFileSync(file, `${before}\n\n${table}\n\n${text.slice(end)}`)
}
