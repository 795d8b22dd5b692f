/** Writes the table of error codes into docs/troubleshooting.md; `--check` compares instead. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ERRORS } from '../src/lib/errors/table.ts'

const BEGIN =
  '<!-- Begin of the table made by scripts/generate-error-docs.ts: change src/lib/errors/table.ts, not this. -->'
const END = '<!-- End of the table. -->'

const file = join(import.meta.dirname, '..', 'docs', 'troubleshooting.md')
const text = readFileSync(file, 'utf8')
const [from, to] = [text.indexOf(BEGIN), text.indexOf(END)]
if (from === -1 || to < from) {
  console.error('docs/troubleshooting.md has no place for the table of error codes: put both marks back')
  process.exit(1)
}
const wanted = `${text.slice(0, from)}${BEGIN}\n\n${table()}\n\n${text.slice(to)}`
if (!process.argv.includes('--check')) writeFileSync(file, wanted)
else if (wanted !== text) {
  console.error('docs/troubleshooting.md lacks error codes: run `npm run generate` and commit it')
  process.exit(1)
}

function table(): string {
  const rows = Object.entries(ERRORS).map(
    ([code, { status, retry, hint }]) =>
      `| \`${code}\` | ${status} | ${retry === 'retryable' ? 'yes' : ''} | ${hint.replaceAll('|', '\\|')} |`,
  )
  return ['| code | HTTP | may work later | what to do |', '|---|---|---|---|', ...rows].join('\n')
}
