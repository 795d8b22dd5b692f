import { readFileSync, writeFileSync } from 'node:fs'
import { z } from 'zod'
import { Column } from './results.ts'
import { tableOf } from './table.ts'

const PAGE = new URL('../../docs/drivers/conformance.md', import.meta.url)
const RESULTS = new URL('../../docs/drivers/conformance.json', import.meta.url)
const BEGIN = '<!-- table: npm run conformance -- --matrix --write -->'
const END = '<!-- end of the table -->'

/** What the page shows now. */
export const keptResults = (): Column[] => z.array(Column).parse(JSON.parse(readFileSync(RESULTS, 'utf8')))

/** Puts them beside the page, and the table that they make into it. */
export function writeResults(columns: readonly Column[]): void {
  const [before, rest] = readFileSync(PAGE, 'utf8').split(BEGIN)
  const after = rest?.split(END)[1]
  if (after === undefined) throw new Error(`docs/drivers/conformance.md lacks the marks ${BEGIN} and ${END}`)
  writeFileSync(RESULTS, `${JSON.stringify(columns, null, 2)}\n`)
  writeFileSync(PAGE, `${before}${BEGIN}\n\n${tableOf(columns)}\n\n${END}${after}`)
}
