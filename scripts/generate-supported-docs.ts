/** Writes the supported versions of tools into docs/drivers/conformance.md; `--check` only compares. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { SUPPORTED } from '../src/drivers/tools/supported.ts'

const BEGIN = '<!-- supported: scripts/generate-supported-docs.ts -->'
const END = '<!-- end of supported -->'
const file = join(import.meta.dirname, '..', 'docs', 'drivers', 'conformance.md')

const rows = Object.entries(SUPPORTED).map(([program, range]) => `| \`${program}\` | \`${range}\` |`)
const table = ['| program | versions |', '|---|---|', ...rows].join('\n')
const page = readFileSync(file, 'utf8')
const [before, rest] = page.split(BEGIN)
const after = rest?.split(END)[1]
if (before === undefined || after === undefined)
  throw new Error(`docs/drivers/conformance.md lacks ${BEGIN} and ${END}`)
const wanted = `${before}${BEGIN}\n\n${table}\n\n${END}${after}`
if (page !== wanted) {
  if (process.argv.includes('--check')) {
    console.error('docs/drivers/conformance.md is not up to date: run "npm run generate"')
    process.exit(1)
  }
  writeFileSync(file, wanted)
}
