import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { TrueupError } from '../lib/errors/error.ts'
import type { Cli } from './cli.ts'

/** Reads a secret: without echo from a terminal, otherwise all of standard input, without its last line break unless it is to be kept. */
export async function readSecret(
  cli: Pick<Cli, 'stdin' | 'streams' | 'signal'>,
  prompt: string,
  { keepNewline = false, mayBeEmpty = false } = {},
): Promise<string> {
  const secret = cli.stdin.isTTY ? await fromTerminal(cli, prompt) : lastLineBreak(await text(cli.stdin), keepNewline)
  if (secret !== '' || mayBeEmpty) return secret
  throw new TrueupError('INVALID_REQUEST', {
    doing: `reading "${prompt.trim().replace(/:$/, '')}"`,
    why: 'nothing was entered',
    next: 'Type it at the terminal, or send it on standard input.',
  })
}

const lastLineBreak = (text: string, keep: boolean): string => (keep ? text : text.replace(/\r?\n$/, ''))

async function fromTerminal(
  { stdin, streams, signal }: Pick<Cli, 'stdin' | 'streams' | 'signal'>,
  prompt: string,
): Promise<string> {
  streams.err.write(prompt)
  // readline echoes to its output: one that swallows everything keeps the secret off the screen.
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({ input: stdin, output: silent, terminal: true })
  try {
    return await new Promise<string>((resolve, reject) => {
      const cancel = (): void =>
        reject(new TrueupError('CANCELED', { doing: 'reading a secret', why: 'it was interrupted' }))
      signal.addEventListener('abort', cancel, { once: true })
      lines.once('SIGINT', cancel)
      lines.once('close', () => resolve(''))
      lines.once('line', resolve)
    })
  } finally {
    lines.close()
    streams.err.write('\n')
  }
}
