/** Writes docs/cli.md, docs/cli-output.md and the manual pages from the commands themselves; `--check` compares instead. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { VERSION } from '../src/lib/version.ts'
import { manPages } from './cli-docs/man.ts'
import { outputLine, outputsPage } from './cli-docs/outputs.ts'
import { commandPages, type CommandPage } from './cli-docs/pages.ts'

const HEAD = `# Command line

<!-- Made from the commands by scripts/generate-cli-docs.ts: change them, not this file. -->

\`trueup\` talks to a server over its public API, or works on the repository you stand in (\`init\`, \`validate\`, \`plan\`).

* **Where the server is**: \`--url\`, else \`TRUEUP_URL\`, else the stored login (\`trueup login\`), else the server of the local data directory.
* **Who you are**: \`TRUEUP_TOKEN\`, else the stored login, else \`admin.token\` of the local data directory. A stored token is sent only to the server it was stored for.
* **Output**: results go to stdout (as JSON with \`--output json\`, [described](cli-output.md) and stable), everything for people to stderr. With \`--output json\` stderr holds nothing but an error, as one line of JSON with \`code\`, \`doing\`, \`why\`, \`next\`. Tables fit the terminal: ids are shortened, long texts cut, what can be missed left out and named; \`--columns a,b,c\` says which columns to show, whole. Times are told as how long ago, and as ISO 8601 with \`--absolute\`. Lists and pages are drawn again every two seconds with \`--watch\`. Colours only on a terminal without \`NO_COLOR\`.
* **Ids** of runs, drift records, workers and tokens may be given by their beginning, with or without \`run_\` and the like, as long as only one thing begins so.
* **Exit codes**: 0 it worked; 1 it did not, or problems were found; 2 it worked and there are changes.
`

const root = join(import.meta.dirname, '..')
const all = await commandPages()
const files = new Map([
  ['docs/cli.md', `${HEAD}\n${all.pages.flatMap(section).join('\n')}`],
  ['docs/cli-output.md', outputsPage()],
])
for (const [name, text] of manPages(all, VERSION)) files.set(`man/${name}`, text)
const former = existsSync(join(root, 'man')) ? readdirSync(join(root, 'man')).map((name) => `man/${name}`) : []
const gone = former.filter((name) => !files.has(name))
const other = [...files].filter(([name, text]) => !existsSync(join(root, name)) || read(name) !== text)
if (process.argv.includes('--check')) {
  if (other.length + gone.length > 0) {
    const names = [...other.map(([name]) => name), ...gone].join(', ')
    console.error(`${names}: not what the commands say: run \`npm run generate\` and commit it`)
    process.exit(1)
  }
} else {
  mkdirSync(join(root, 'man'), { recursive: true })
  for (const [name, text] of other) writeFileSync(join(root, name), text)
  for (const name of gone) rmSync(join(root, name))
}

function read(name: string): string {
  return readFileSync(join(root, name), 'utf8')
}

function section({ name, about, usage, rows, after }: CommandPage): string[] {
  const table = rows.map((row) => `| \`${cell(row.term)}\` | ${cell(row.about)} |`)
  return [
    `## trueup ${name}\n`,
    `${about}\n`,
    `    ${usage}\n`,
    ...(table.length > 0 ? [['| | |', '|---|---|', ...table, ''].join('\n')] : []),
    `${outputLine(name)}\n`,
    ...(after === '' ? [] : [`${after.replace(/^ {2}\$/gm, '    $').replace(/^(Examples?:)\n/m, '$1\n\n')}\n`]),
  ]
}

function cell(value: string): string {
  return value.replaceAll('|', '\\|').replaceAll('\n', ' ')
}
