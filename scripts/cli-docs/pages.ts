import { PassThrough } from 'node:stream'
import type { Command } from 'commander'
import { createCli } from '../../src/cli/cli.ts'
import { commandModules } from '../../src/cli/commands/index.ts'
import { buildProgram } from '../../src/cli/program.ts'

/** One command as its documentation shows it. */
export interface CommandPage {
  /** With its parents, without `trueup`: `mr show`. */
  name: string
  /** One sentence. */
  about: string
  /** The line to type. */
  usage: string
  /** Arguments and options of its own, each with what it does. */
  rows: { term: string; about: string }[]
  /** What stands below its help: exit codes, examples. '' where there is nothing. */
  after: string
}

/** The command line as its documentation shows it. */
export interface CommandPages {
  /** Every command that does something, in the order of `trueup --help`. */
  pages: CommandPage[]
  /** What the first words of commands are about. */
  groups: Map<string, string>
  /** Options that each understands. */
  everywhere: CommandPage['rows']
}

export async function commandPages(): Promise<CommandPages> {
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
  return {
    pages: program.commands.flatMap((command) => pagesOf(command, '')),
    groups: new Map(program.commands.map((command) => [command.name(), command.description()])),
    everywhere: optionsOf(program),
  }
}

function pagesOf(command: Command, parent: string): CommandPage[] {
  const name = `${parent} ${command.name()}`.trim()
  const children = command.commands.flatMap((child) => pagesOf(child, name))
  // A word that only leads to others has no options.
  return children.length > 0 && command.options.length === 0 ? children : [pageOf(command, name), ...children]
}

function pageOf(command: Command, name: string): CommandPage {
  const help = command.createHelp()
  const rows = [
    ...help
      .visibleArguments(command)
      .map((argument) => ({ term: help.argumentTerm(argument), about: help.argumentDescription(argument) })),
    ...optionsOf(command),
  ]
  const usage = command
    .usage()
    .replace(/ ?\[command\]$/, '')
    .replace(/^\[options\] ?/, rows.length > 0 ? '[options] ' : '')
  return {
    name,
    about: sentence(command.description()),
    usage: `trueup ${name} ${usage}`.trim(),
    rows,
    after: afterHelp(command),
  }
}

function optionsOf(command: Command): CommandPage['rows'] {
  const help = command.createHelp()
  return help
    .visibleOptions(command)
    .filter((option) => option.long !== '--help')
    .map((option) => ({ term: help.optionTerm(option), about: help.optionDescription(option) }))
}

/** Text after the help, as commander prints it. */
function afterHelp(command: Command): string {
  let after = ''
  command.configureOutput({ writeOut: (written) => (after += written) })
  command.outputHelp()
  const help = command.helpInformation()
  return after.slice(after.indexOf(help) + help.length).trim()
}

const sentence = (about: string): string => `${about.charAt(0).toUpperCase()}${about.slice(1)}.`
