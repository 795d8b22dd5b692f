import { setTimeout as sleep } from 'node:timers/promises'
import type { Command } from 'commander'
import { TrueupError } from '../lib/errors/error.ts'
import type { Cli } from './cli.ts'

const WATCH_MS = 2_000

type Action = OmitThisParameter<Parameters<Command['action']>[0]>

/** `--watch` for a command that shows something; its action goes through `watched`. */
export const withWatch = (command: Command): Command =>
  command.option('--watch', 'draw it again and again until Ctrl-C', false)

/**
 * The action, done again and again under `--watch` until Ctrl-C; its output wipes the screen before each result. A server that
 * is away for a while is said and waited for.
 */
export function watched(cli: Cli, action: Action): Action {
  return async (...given) => {
    const command = given.at(-1) as Command
    if (!command.opts<{ watch: boolean }>().watch) return await action(...given)
    const output = cli.output(command)
    if (output.json || !cli.streams.out.isTTY)
      throw new TrueupError('INVALID_REQUEST', {
        doing: `watching \`${nameOf(command)}\``,
        why: 'that needs a terminal',
      })
    while (!cli.signal.aborted) {
      try {
        await action(...given)
      } catch (error) {
        if (cli.signal.aborted) return
        if (!(error instanceof TrueupError) || error.code !== 'SERVER_UNREACHABLE') throw error
        output.progress(`${error.text.doing}: ${error.text.why}`)
      }
      await sleep(WATCH_MS, undefined, { signal: cli.signal }).catch(() => {})
    }
  }
}

const nameOf = (command: Command): string =>
  command.parent === null ? command.name() : `${nameOf(command.parent)} ${command.name()}`
