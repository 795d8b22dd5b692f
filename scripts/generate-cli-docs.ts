/** Writes docs/cli.md from the commands themselves; `--check` compares instead. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import type { Command } from 'commander'
import { createCli } from '../src/cli/cli.ts'
import { commandModules } from '../src/cli/commands/index.ts'
import { buildProgram } from '../src/cli/program.ts'

const HEAD = `# Command line

<!-- Made from the commands by scripts/generate-cli-docs.ts: change them, not this file. -->

\`trueup\` talks to a server over its public API, or works on the repository you stand in (\`init\`, \`validate\`, \`plan\`).

* **Where the server is**: \`--url\`, else \`TRUEUP_URL\`, else the stored login (\`trueup login\`), else the server of the local data directory.
* **Who you are**: \`TRUEUP_TOKEN\`, else the stored login, else \`admin.token\` of the local data directory. A stored token is sent only to the server it was stored for.
* **Output**: results go to stdout (as JSON with \`--output json\`), everything for people to stderr. With \`--output json\` stderr holds nothing but an error, as one line of JSON with \`code\`, \`doing\`, \`why\`, \`next\`. Tables fit the terminal: ids are shortened, long texts cut, what can be missed left out and named; \`--columns a,b,c\` says which columns to show, whole. Times are told as how long ago, and as ISO 8601 with \`--absolute\`. Lists and pages are drawn again every two seconds with \`--watch\`. Colours only on a terminal without \`NO_COLOR\`.
* **Ids** of runs, drift records, workers and tokens may be given by their beginning, with or without \`run_\` and the like, as long as only one thing begins so.
* **Exit codes**: 0 it worked; 1 it did not, or problems were found; 2 it worked and there are changes.
`

const cli = createCli({
  streams: { out: new PassThrough(), err: new PassThrough(), env: {} },
  stdin: process.stdin,
  env: {},
  cwd: '/',
  signal: new AbortController().signal,
  takeSignals: () => {},
  exitWith: () => {},
})
const program = buildProgram(cli, await commandModules())
const text = `${HEAD}\n${program.commands.flatMap((command) => sections(command, '')).join('\n')}`
const file = join(import.meta.dirname, '..', 'docs', 'cli.md')
if (!process.argv.includes('--check')) writeFileSync(file, text)
else if (!existsSync(file) || readFileSync(file, 'utf8') !== text) {
  console.error('docs/cli.md is not what the commands say: run `npm run generate` and commit it')
  process.exit(1)
}

function sections(command: Command, parent: string): string[] {
  const name = `${parent} ${command.name()}`.trim()
  if (command.commands.length > 0) return command.commands.flatMap((child) => sections(child, name))
  const help = command.createHelp()
  const rows = [
    ...help
      .visibleArguments(command)
      .map((argument) => [help.argumentTerm(argument), help.argumentDescription(argument)]),
    ...help
      .visibleOptions(command)
      .filter((option) => option.long !== '--help')
      .map((option) => [help.optionTerm(option), help.optionDescription(option)]),
  ]
  const table = rows.map(([term, about]) => `| \`${cell(term)}\` | ${cell(about)} |`)
  const usage = [name, command.usage().replace(/^\[options\] ?/, rows.length > 0 ? '[options] ' : '')].join(' ').trim()
  return [
    `## trueup ${name}\n`,
    `${sentence(command.description())}\n`,
    `    trueup ${usage}\n`,
    ...(table.length > 0 ? [['| | |', '|---|---|', ...table, ''].join('\n')] : []),
    ...examplesOf(command),
  ]
}

/** Text after the help, as commander prints it. */
function examplesOf(command: Command): string[] {
  let after = ''
  command.configureOutput({ writeOut: (written) => (after += written) })
  command.outputHelp()
  const help = command.helpInformation()
  const extra = after.slice(after.indexOf(help) + help.length).trim()
  return extra === '' ? [] : [`${extra.replace(/^ {2}\$/gm, '    $').replace(/^(Examples?:)\n/m, '$1\n\n')}\n`]
}

function cell(value = ''): string {
  return value.replaceAll('|', '\\|').replaceAll('\n', ' ')
}

function sentence(about: string): string {
  return `${about.charAt(0).toUpperCase()}${about.slice(1)}.`
}
