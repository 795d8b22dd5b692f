/**
 * `npm run conformance`: every driver under the conformance suite, and a table of driver × property.
 *
 * | option | does |
 * |---|---|
 * | `--matrix` | each driver on the oldest tools (those on PATH), then on the newest and on those of Debian sid, making what of those is not there |
 * | `--newest` | on the newest released tools only |
 * | `--unreleased` | on those of Debian sid only |
 * | `--driver NAME` | this driver only; may be repeated |
 * | `--minutes N` | stops making newest tools after N minutes: what was not made by then is named, and its driver runs on the rest |
 * | `--at-once N` | runs N drivers at a time on their newest tools, instead of one after the other |
 * | `--forges` | every forge under the suite of forges instead; `--json` has `forge` and `cannot`, and `--write` means docs/forges.md |
 * | `--write` | puts the results into docs/drivers/conformance.json and the table into conformance.md; others stay as they are |
 * | `--json` | prints `[{"driver","property","against","passed"}]` as the last line, instead of the table |
 *
 * A driver whose tool is missing has no rows, and is named on stderr. The last line without `--json` is
 * `N passed, N failed, N skipped`, where a driver or a newest tool that cannot be had counts as one skipped.
 */
import { parseArgs } from 'node:util'
import { DRIVERS } from '../../src/drivers/registry.ts'
import { NEWEST, provideNewest } from '../tools/newest.ts'
import { runForges, tableOfForges, writeForges } from './forges.ts'
import { keptResults, writeResults } from './page.ts'
import { mergeResults } from './results.ts'
import { runSuite, type SuiteRequest, type SuiteRun } from './suite-report.ts'
import { tableOf } from './table.ts'

const { values: options } = parseArgs({
  options: {
    matrix: { type: 'boolean', default: false },
    newest: { type: 'boolean', default: false },
    unreleased: { type: 'boolean', default: false },
    driver: { type: 'string', multiple: true, default: [] },
    minutes: { type: 'string' },
    'at-once': { type: 'string', default: '1' },
    write: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    forges: { type: 'boolean', default: false },
  },
})

async function main(): Promise<number> {
  if (options.forges) return await forges()
  const unknown = options.driver.filter((name) => !DRIVERS.has(name))
  if (unknown.length > 0) throw new Error(`no driver is called ${unknown.join(', ')}`)
  const runs: SuiteRun[] = []
  if (!options.newest && !options.unreleased) runs.push(...(await oldestRuns()))
  if (options.matrix || options.newest || options.unreleased) runs.push(...(await newestRuns()))
  const rows = runs.flatMap((run) => run.rows)
  const skipped = [...new Set(runs.flatMap((run) => run.skipped))]
  for (const name of skipped) console.error(`not run: ${name}`)
  const made = runs.flatMap((run) => run.columns)
  if (options.write) writeResults(mergeResults(keptResults(), made))
  const passed = rows.filter((row) => row.passed).length
  const summary = `${passed} passed, ${rows.length - passed} failed, ${skipped.length} skipped`
  if (options.json) console.log(JSON.stringify(rows))
  else console.log(`${tableOf(mergeResults([], made))}\n\n${summary}`)
  // Where no newer tool can be had there is nothing that could hold or not.
  return passed === rows.length && (rows.length > 0 || options.newest || options.unreleased) ? 0 : 1
}

async function forges(): Promise<number> {
  const rows = await runForges()
  const table = tableOfForges(rows)
  if (options.write) writeForges(table)
  const passed = rows.filter((row) => row.passed).length
  if (options.json) console.log(JSON.stringify(rows))
  else console.log(`${table}\n\n${passed} passed, ${rows.length - passed} failed, 0 skipped`)
  return rows.length > 0 && passed === rows.length ? 0 : 1
}

/** Driver by driver where some are named, and otherwise all at once, as `npm test` does. */
async function oldestRuns(): Promise<SuiteRun[]> {
  const runs: SuiteRun[] = []
  const which = options.driver.length > 0 ? options.driver : [null]
  for (const driver of which) runs.push(await runSuite({ driver, set: 'oldest', env: process.env }))
  return runs
}

/** The suite of each driver that has newer tools than those on PATH, on these. */
async function newestRuns(): Promise<SuiteRun[]> {
  const until = options.minutes === undefined ? undefined : Date.now() + Number(options.minutes) * 60_000
  const atOnce = Number(options['at-once'])
  if (Number.isNaN(until) || !(atOnce >= 1)) throw new Error('--minutes and --at-once take a number')
  const runs: SuiteRun[] = []
  const wanted: SuiteRequest[] = []
  for (const newest of NEWEST) {
    const { driver, unreleased = false } = newest
    if (options.driver.length > 0 && !options.driver.includes(driver)) continue
    if (!options.matrix && unreleased !== options.unreleased) continue
    const found = provideNewest(newest, (what) => console.error(`making ready: ${what}`), until)
    runs.push({
      rows: [],
      columns: [],
      skipped: found.missing.map((what) => `newest tools of ${driver} without ${what}`),
    })
    if (found.parts === 0) continue
    const path = [found.provided.path, process.env.PATH].filter(Boolean).join(':')
    const env = { ...process.env, ...found.provided.env, PATH: path }
    wanted.push({ driver, set: unreleased ? 'unreleased' : 'newest', env, only: found.only })
  }
  while (wanted.length > 0) runs.push(...(await Promise.all(wanted.splice(0, atOnce).map(runSuite))))
  return runs
}

process.exitCode = await main()
