/**
 * `npm run conformance`: every driver under the conformance suite, and a table of driver × property.
 * `--matrix` runs the drivers on the newest supported version of their tools, too, and makes what of it is not there.
 * `--json` prints `[{"driver","property","against","passed"}]` as the last line; `--write` puts the table into
 * docs/drivers/conformance.md. A driver whose tool is missing here has no rows, and is named on stderr.
 */
import { NEWEST, provideNewest } from '../tools/newest.ts'
import { runSuite, type SuiteRun } from './suite-report.ts'
import { tableOf, writePage } from './table.ts'

async function main(options: readonly string[]): Promise<number> {
  const runs = [await runSuite(null, process.env)]
  if (options.includes('--matrix')) runs.push(...(await newestRuns()))
  const rows = runs.flatMap((run) => run.rows)
  const columns = runs.flatMap((run) => run.columns)
  for (const name of new Set(runs.flatMap(({ skipped }) => skipped))) console.error(`not run: ${name}`)
  const table = tableOf(distinct(columns), rows)
  if (options.includes('--write')) writePage(table)
  if (options.includes('--json')) console.log(JSON.stringify(rows))
  else console.log(table)
  return rows.length > 0 && rows.every(({ passed }) => passed) ? 0 : 1
}

/** The suite of each driver that has newer tools than those on PATH, on these. */
async function newestRuns(): Promise<SuiteRun[]> {
  const runs: SuiteRun[] = []
  for (const set of NEWEST) {
    const { provided, parts, missing } = provideNewest(set, (what) => console.error(`making ready: ${what}`))
    for (const what of missing) console.error(`newest tools of ${set.driver} without ${what}`)
    if (parts === 0) {
      console.error(`not run: newest tools of ${set.driver}`)
      continue
    }
    const path = [provided.path, process.env.PATH].filter(Boolean).join(':')
    runs.push(await runSuite(set.driver, { ...process.env, ...provided.env, PATH: path }))
  }
  return runs
}

/** Two runs may have one column in common: a target that has no newer version. */
function distinct<C extends { driver: string; against: string }>(columns: readonly C[]): C[] {
  return [...new Map(columns.map((column) => [`${column.driver} ${column.against}`, column])).values()]
}

process.exitCode = await main(process.argv.slice(2))
