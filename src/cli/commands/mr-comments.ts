import type { Command } from 'commander'
import { z } from 'zod'
import { Done } from '../../server/schemas/common.ts'
import { Comment } from '../../server/schemas/merge-requests.ts'
import { count, mrNumber } from '../arguments.ts'
import type { Cli } from '../cli.ts'

import { mrPath, withRepository } from '../repository.ts'

/** The conversation of a merge request, as commands below `mr`. */
export function addCommentCommands(mr: Command, cli: Cli): void {
  withRepository(mr.command('comment').description('comment it, a line of it, or answer a thread'))
    .argument('<number>', '', mrNumber)
    .argument('<text>')
    .option('--file <path>', 'file of a line comment')
    .option('--line <n>', 'line of it', count)
    .option('--thread <id>', 'thread to answer')
    .action(
      async (number: number, text: string, options: { file?: string; line?: number; thread?: string }, command) => {
        const body = { body: text, path: options.file, line: options.line, threadId: options.thread }
        const made = await cli
          .client(command)
          .send('POST', `${await mrPath(cli, command, number)}/comments`, Comment, body)
        cli.output(command).result(made, () => made.id)
      },
    )

  withRepository(mr.command('comments').description('the conversation'))
    .argument('<number>', '', mrNumber)
    .action(async (number: number, _options, command) => {
      const { items } = await cli
        .client(command)
        .get(`${await mrPath(cli, command, number)}/comments`, z.object({ items: z.array(Comment) }))
      cli.output(command).result(items, ({ when }) =>
        items
          .map((row) => {
            const place =
              row.path === null ? '' : ` on ${row.path}:${row.line}${row.resolvedAt === null ? '' : ' (resolved)'}`
            const apply = row.suggestions.map(
              (_, at) =>
                `\nTo apply it: trueup mr apply ${number} ${row.id}${at === 0 ? '' : ` --suggestion ${at + 1}`}`,
            )
            const head = `${row.author ?? 'Trueup'}, ${when(row.updatedAt)}${place} [${row.threadId}]`
            return `${head}\n${row.body}${apply.join('')}`
          })
          .join('\n\n'),
      )
    })

  withRepository(mr.command('resolve').description('resolve a thread'))
    .argument('<number>', '', mrNumber)
    .argument('<thread>')
    .option('--reopen', 'open it again', false)
    .action(async (number: number, thread: string, options: { reopen: boolean }, command) => {
      const url = `${await mrPath(cli, command, number)}/comments/${encodeURIComponent(thread)}/resolved`
      const done = await cli.client(command).send('PUT', url, Done, { resolved: !options.reopen })
      cli.output(command).result(done, () => `${options.reopen ? 'Reopened' : 'Resolved'} ${thread}`)
    })
}
