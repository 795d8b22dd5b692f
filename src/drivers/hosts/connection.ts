import { constants, open } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { TrueupError } from '../../lib/errors/error.ts'
import type { ProcessResult } from '../../lib/process/supervise.ts'
import type { DriverContext } from '../driver.ts'
import { checkEnded } from '../tools/verdict.ts'
import type { HostSettings } from './config.ts'
import { commandLine } from './quote.ts'
import { KEEPER } from './remote-scripts.ts'
import { connectionError } from './ssh-error.ts'
import type { SshCommand } from './ssh-command.ts'
import type { SshFiles } from './ssh-files.ts'

/** What clearing up on the host may take after a cancel: ten seconds for the tool, and a slow line. */
const CLOSING_MS = 25_000
const LOST_MS = 1_000

export interface Connection {
  /** The private directory on the host. */
  directory: string
  /** What it has ended with, waiting this long (milliseconds) for that; null when it still stands then. */
  endsWithin(ms: number): Promise<ProcessResult | null>
  close(): Promise<void>
}

/** The words for a shell on the host, run as root where the stack wants sudo. */
export function remoteShell(config: HostSettings, script: string, ...words: string[]): string {
  const sudo = config.ssh.sudo ? 'sudo -n -- ' : ''
  return `exec ${sudo}sh -c ${commandLine([script, 'trueup', ...words])}`
}

/**
 * Opens the connection and its keeper on the host. Its ssh is a process of the run like any other, so nothing of it outlives
 * the run; it does not react to the interrupt of a cancel, because it is what clears up on the host.
 * @throws TARGET_UNREACHABLE, TARGET_DENIED, TARGET_UNSAFE, TARGET_FULL, CANCELED
 */
export async function connect(
  context: DriverContext<HostSettings>,
  files: SshFiles,
  command: SshCommand,
): Promise<Connection> {
  const line = join(files.directory, `${command.socket.split('/').at(-1)}.in`)
  let over: ProcessResult | null = null
  let directory: string | null = null
  const ready = Promise.withResolvers<void>()
  const made = await context.run({
    argv: ['mkfifo', '-m', '600', line],
    env: { PATH: context.env.PATH ?? '' },
    quiet: true,
  })
  checkEnded(`connecting to ${command.target.name}`, made)

  const running = context.run({
    // Opened for both reading and writing, a pipe with a name has no end: the keeper waits until a line is written into it.
    argv: [
      'sh',
      '-c',
      `trap '' INT; exec "$@" <>"$0"`,
      line,
      command.program,
      ...command.opening,
      remoteShell(context.config, KEEPER),
    ],
    env: { PATH: context.env.PATH ?? '', HOME: context.scratch, LANG: 'C' },
    quiet: true,
    graceMs: CLOSING_MS,
    onLine: (text, stream) => {
      const found = stream === 'stdout' ? /^trueup-directory (\/\S+)$/.exec(text) : null
      if (found === null || directory !== null) return
      directory = found[1]!
      ready.resolve()
    },
  })
  const ended = running.then((result) => {
    over = result
    ready.resolve()
  })
  ended.catch(ready.reject)
  await ready.promise
  if (directory === null) {
    await ended
    checkEnded(`connecting to ${command.target.name}`, over!)
    throw connectionError(command.target, over!)
  }
  return {
    directory,
    endsWithin: async (ms) => {
      await Promise.race([ended, sleep(ms, undefined, { ref: false })])
      return over
    },
    async close() {
      if (over === null) await writeLine(line).catch(() => {})
      await ended
    },
  }
}

/** Without waiting for a reader: an ssh that has just ended, unnoticed yet, would be waited for without end. */
async function writeLine(pipe: string): Promise<void> {
  const opened = await open(pipe, constants.O_WRONLY | constants.O_NONBLOCK)
  try {
    await opened.write('\n')
  } finally {
    await opened.close()
  }
}

/** @throws TARGET_UNREACHABLE where the connection is gone; a program that really ended with 255 is a result. */
export async function checkConnected(
  connection: Connection,
  command: SshCommand,
  result: ProcessResult,
): Promise<void> {
  if (result.exitCode !== 255 || result.canceled) return
  const refused = /mux_client|Control socket connect|Connection (closed|reset)|UNKNOWN port 65535/.test(result.stderr)
  // A session learns that the connection is lost a moment before the process that holds it ends.
  if (!refused && (await connection.endsWithin(LOST_MS)) === null) return
  const { name, address } = command.target
  throw new TrueupError('TARGET_UNREACHABLE', {
    doing: `working on host "${name}" (${address})`,
    why: 'the connection was lost',
  })
}
