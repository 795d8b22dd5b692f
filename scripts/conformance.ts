/**
 * `npm run conformance`: every driver under the conformance suite, and a table of driver × property.
 * `--json` prints `[{"driver","property","against","passed"}]` as the last line; `--write` puts the table into
 * docs/drivers/conformance.md. A driver whose tool is missing here has no rows, and is named on stderr.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { PROPERTIES, type PropertyName } from '../test/conformance/properties.ts'

const PAGE = new URL('../docs/drivers/conformance.md', import.meta.url)
const BEGIN = '<!-- table: npm run conformance -- --write -->'
const END = '<!-- end of the table -->'

const Report = z.object({
  testResults: z.array(
    z.object({
      assertionResults: z.array(
        z.object({
          status: z.string(),
          fullName: z.string(),
          meta: z.object({
            conformance: z
              .object({
                driver: z.string(),
                property: z.custom<PropertyName>(),
                against: z.string(),
                exempt: z.record(z.string(), z.string()),
              })
              .optional(),
          }),
        }),
      ),
    }),
  ),
})

interface Row {
  driver: string
  property: PropertyName
  against: string
  passed: boolean
}
interface Column {
  driver: string
  against: string
  exempt: { [property: string]: string }
}

async function main(options: readonly string[]): Promise<number> {
  const report = await runSuite()
  const tests = report.testResults.flatMap(({ assertionResults }) => assertionResults)
  const rows: Row[] = []
  const columns = new Map<string, Column>()
  for (const { status, meta } of tests) {
    if (!meta.conformance) continue
    const { driver, property, against, exempt } = meta.conformance
    rows.push({ driver, property, against, passed: status === 'passed' })
    columns.set(`${driver} ${against}`, { driver, against, exempt })
  }
  const table = tableOf([...columns.values()], rows)
  const skipped = new Set(
    tests.filter(({ status }) => status === 'pending' || status === 'skipped').map(({ fullName }) => title(fullName)),
  )
  for (const name of skipped) console.error(`not run: ${name}`)
  if (options.includes('--write')) writePage(table)
  if (options.includes('--json')) console.log(JSON.stringify(rows))
  else console.log(table)
  return rows.length > 0 && rows.every(({ passed }) => passed) ? 0 : 1
}

/** `conformance of chef (skipped: …)` out of a test's full name. */
const title = (fullName: string): string => /conformance of .*?\(.*?\)/.exec(fullName)?.[0] ?? fullName

async function runSuite(): Promise<z.infer<typeof Report>> {
  const scratch = mkdtempSync(join(tmpdir(), 'trueup-conformance-'))
  try {
    const file = join(scratch, 'report.json')
    const argv = ['run', 'test/conformance', '--reporter=default', '--reporter=json', `--outputFile.json=${file}`]
    // Progress goes to stderr, so that stdout is the result and nothing else.
    const child = spawn('vitest', argv, { stdio: ['ignore', 2, 2] })
    await new Promise((resolve) => child.on('close', resolve))
    return Report.parse(JSON.parse(readFileSync(file, 'utf8')))
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

/** A Markdown table, properties down and drivers across, with what each ran against and why a property is not asked. */
function tableOf(columns: readonly Column[], rows: readonly Row[]): string {
  const notes: string[] = []
  const cell = ({ driver, against, exempt }: Column, property: string): string => {
    const reason = exempt[property]
    if (reason !== undefined) {
      const note = `\`${driver}\`, ${property}: ${reason}.`
      if (!notes.includes(note)) notes.push(note)
      return `– <sup>${notes.indexOf(note) + 1}</sup>`
    }
    const row = rows.find((its) => its.driver === driver && its.against === against && its.property === property)
    return row === undefined ? 'not run' : row.passed ? 'yes' : '**no**'
  }
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  const ordered = columns.toSorted((a, b) => `${a.driver} ${a.against}`.localeCompare(`${b.driver} ${b.against}`))
  const head = [
    line(['', ...ordered.map(({ driver }) => `\`${driver}\``)]),
    line(['---', ...ordered.map(() => ':-:')]),
    line(['against', ...ordered.map(({ against }) => against)]),
  ]
  const body = Object.entries(PROPERTIES).map(([property, text]) =>
    line([`${text} (${property})`, ...ordered.map((column) => cell(column, property))]),
  )
  return [...head, ...body, '', ...notes.map((note, i) => `${i + 1}. ${note}`)].join('\n')
}

function writePage(table: string): void {
  const page = readFileSync(PAGE, 'utf8')
  const [before, rest] = page.split(BEGIN)
  const after = rest?.split(END)[1]
  if (after === undefined) throw new Error(`docs/drivers/conformance.md lacks the marks ${BEGIN} and ${END}`)
  writeFileSync(PAGE, `${before}${BEGIN}\n\n${table}\n\n${END}${after}`)
}

process.exitCode = await main(process.argv.slice(2))
