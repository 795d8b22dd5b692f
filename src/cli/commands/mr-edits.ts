import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { type Command, Option } from 'commander'
import { TrueupError } from '../../lib/errors/error.ts'
import { MrDetail } from '../../server/schemas/merge-requests.ts'
import { Committed } from '../../server/schemas/mr-edits.ts'
import { count, mrNumber } from '../arguments.ts'
import type { Cli } from '../cli.ts'
import { mrPath, withRepository } from '../repository.ts'

/** Changing what a merge request brings without a clone of it, as commands below `mr`. */
export function addEditCommands(mr: Command, cli: Cli): void {
  withRepository(mr.command('commit').description('commit one file to its source branch without a clone'))
    .argument('<number>', '', mrNumber)
    .argument('<path>', 'from the root of the repository')
    .addOption(new Option('--from <file>', 'its new content').conflicts('delete'))
    .option('--delete', 'remove it')
    .option('--message <text>', 'of the commit (default: says which file changes)')
    .option('--head <commit>', 'only where the branch still stands here (default: where it stands now)')
    .addHelpText(
      'after',
      '\nIt is like a push: the same rules, and who commits has a part in the change and does not approve it.\n\nExample:\n  $ trueup mr commit 7 web/index.html --from index.html --message "Greet by name"',
    )
    .action(
      async (
        number: number,
        path: string,
        options: { from?: string; delete?: boolean; message?: string; head?: string },
        command,
      ) => {
        const client = cli.client(command)
        const url = await mrPath(cli, command, number)
        const content = options.delete ? null : await contentOf(cli, options.from)
        const head = options.head ?? (await client.get(url, MrDetail)).head
        const body = { head, message: options.message ?? '', files: [{ path, content }] }
        const made = await client.send('POST', `${url}/commits`, Committed, body)
        cli
          .output(command)
          .result(made, () => `Committed ${made.commit.slice(0, 10)} to !${number}; it is planned anew`)
      },
    )

  withRepository(mr.command('apply').description('commit a suggestion of a line comment to its source branch'))
    .argument('<number>', '', mrNumber)
    .argument('<comment>', '`trueup mr comments` shows it')
    .option('--suggestion <n>', 'which one of the comment', count, 1)
    .option('--head <commit>', 'only where the branch still stands here')
    .action(async (number: number, comment: string, options: { suggestion: number; head?: string }, command) => {
      const url = `${await mrPath(cli, command, number)}/comments/${encodeURIComponent(comment)}/apply`
      const body = { suggestion: options.suggestion - 1, head: options.head }
      const made = await cli.client(command).send('POST', url, Committed, body)
      cli.output(command).result(made, () => `Committed ${made.commit.slice(0, 10)} to !${number}; it is planned anew`)
    })
}

/** Text of a file here. What is no UTF-8 would arrive as something else. */
async function contentOf(cli: Cli, from: string | undefined): Promise<string> {
  const doing = 'reading the new content'
  if (from === undefined) {
    const next = 'Name a file with --from, or say --delete.'
    throw new TrueupError('INVALID_REQUEST', { doing, why: 'nothing says what is to stand there', next })
  }
  const bytes = await readFile(resolve(cli.cwd, from)).catch((error: NodeJS.ErrnoException) => {
    throw new TrueupError('INVALID_REQUEST', { doing, why: `${from}: ${error.code ?? error.message}` })
  })
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    const next = 'Push it with git.'
    throw new TrueupError('INVALID_REQUEST', { doing, why: `${from} is no text in UTF-8`, next })
  }
}
