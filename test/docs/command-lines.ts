import { PassThrough } from 'node:stream'
import type { Command, Option } from 'commander'
import { createCli } from '../../src/cli/cli.ts'
import { commandModules } from '../../src/cli/commands/index.ts'
import { buildProgram } from '../../src/cli/program.ts'

/** The whole command line, as a tree that is only looked at. */
export async function commandTree(): Promise<Command> {
  const streams = { out: new PassThrough(), err: new PassThrough(), env: {} }
  const signal = new AbortController().signal
  return buildProgram(
    createCli({ streams, stdin: process.stdin, env: {}, cwd: '/', signal, takeSignals: () => {}, exitWith: () => {} }),
    await commandModules(),
  )
}

/** Calls of `trueup` in a piece of shell: their words after `trueup`, quotes removed. */
export function trueupCalls(shell: string): string[][] {
  const calls: string[][] = []
  for (const line of shell.replaceAll(/\\\n/g, ' ').split('\n')) {
    const plain = line.replace(/^\s*\$ /, '').replace(/(^|\s)#(\s.*)?$/, '')
    // What stands in $(…) is a line of its own.
    const inner = [...plain.matchAll(/\$\(([^()]*)\)/g)].map(([, text = '']) => text)
    for (const part of [plain.replaceAll(/\$\([^()]*\)/g, 'VALUE'), ...inner]) {
      for (const words of commandsOf(part)) {
        const at = words.findIndex((word) => !/^[A-Z_]+=/.test(word))
        if (words[at] === 'trueup') calls.push(words.slice(at + 1))
      }
    }
  }
  return calls
}

/** Words of each simple command of a line; redirections and what stands behind them are left out. */
function commandsOf(line: string): string[][] {
  const commands: string[][] = [[]]
  let skip = false
  for (const [token] of line.matchAll(/&&|\|\||[;|&]|[<>]+|(?:'[^']*'|"[^"]*"|[^\s;|&<>'"])+/g)) {
    if (/^[;|&]/.test(token)) commands.push([])
    else if (/^[<>]/.test(token)) skip = true
    else if (skip) skip = false
    else commands.at(-1)!.push(token.replaceAll(/['"]/g, ''))
  }
  return commands
}

/**
 * What is wrong with a call, or null. `whole`: also the number of arguments is looked at, which prose leaves out.
 * A word `…` stands for anything.
 */
export function problemOf(program: Command, words: readonly string[], whole: boolean): string | null {
  let command = program
  const args: string[] = []
  const known = (name: string): Option | undefined =>
    [command, program].flatMap(({ options }) => options).find(({ long, short }) => long === name || short === name)
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!
    if (word === '…') return null
    if (!word.startsWith('-')) {
      const child = args.length === 0 ? command.commands.find((each) => each.name() === word) : undefined
      if (child) command = child
      else if (command.commands.length > 0) return `there is no command "${word}"`
      else args.push(word)
      continue
    }
    const [name = '', value] = word.split('=', 2)
    if (name === '--help' || name === '-h') return null
    const option = known(name)
    if (!option) return `there is no option ${name}`
    if (option.argChoices && words[at + 1] && !option.argChoices.includes(value ?? words[at + 1]!))
      return `${name} does not take "${value ?? words[at + 1]}"`
    const takes = value === undefined && (option.required || (option.optional && /^[^-]/.test(words[at + 1] ?? '-')))
    if (takes) at++
    if (takes && option.variadic) while (words[at + 1] && !words[at + 1]!.startsWith('-')) at++
  }
  return whole ? argumentProblem(command, args) : null
}

/** Some commands have others below them and do something by themselves; commander says so nowhere else. */
const actsAlone = (command: Command): boolean => '_actionHandler' in command && Boolean(command._actionHandler)

function argumentProblem(command: Command, args: readonly string[]): string | null {
  if (command.commands.length > 0 && !actsAlone(command)) return 'a command is missing'
  const { registeredArguments: wanted } = command
  const missing = wanted[args.length]
  if (missing?.required) return `<${missing.name()}> is missing`
  const surplus = wanted.some(({ variadic }) => variadic) ? undefined : args[wanted.length]
  return surplus === undefined ? null : `"${surplus}" is one argument too many`
}
