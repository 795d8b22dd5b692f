import { Command } from 'commander'
import { expect, it } from 'vitest'
import { createCli } from '../cli.ts'
import { COMMAND_GROUPS, commandModules } from './index.ts'

const cli = createCli({
  streams: { out: process.stdout, err: process.stderr, env: {} },
  stdin: process.stdin,
  env: {},
  cwd: '/',
  signal: new AbortController().signal,
  takeSignals: () => {},
  exitWith: () => {},
})

it.each(COMMAND_GROUPS)('$names: the table names what the module brings', async ({ names, load }) => {
  const program = new Command('trueup')
  ;(await load())(program, cli)
  expect(program.commands.flatMap((command) => [command.name(), ...command.aliases()])).toEqual(names)
})

it.each([
  [['status'], 1],
  [['-o', 'json', 'status'], 1],
  [['-ojson', '--url=http://x', 'status', '--help'], 1],
  [['--url', 'http://x', 'mr', 'list'], 1],
  [['statsu'], COMMAND_GROUPS.length],
  [['help', 'status'], COMMAND_GROUPS.length],
  [['--help'], COMMAND_GROUPS.length],
  [['completion', 'bash'], COMMAND_GROUPS.length],
  [[], COMMAND_GROUPS.length],
])('%j loads %i modules', async (argv, count) => {
  expect(await commandModules(argv)).toHaveLength(count)
})
