import { createWriteStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { Readable } from 'node:stream'
import { z } from 'zod'
import { AuditEvent, AuditVerdict } from '../../server/schemas/operations.ts'
import type { CommandModule } from '../cli.ts'
import { count } from '../arguments.ts'
import { verdictText } from '../audit-text.ts'
import { when } from '../output.ts'
import { TrueupError } from '../../lib/errors/error.ts'

interface ListOptions {
  limit: number
  repository?: string
  actor?: string
  action?: string
  subject?: string
}

export const auditCommands: CommandModule = (program, cli) => {
  const audit = program.command('audit').description('the audit trail: who did what, in a chain of hashes')

  audit
    .command('list')
    .description('events, newest first')
    .option('--limit <n>', 'how many', count, 50)
    .option('--repository <name>', 'only of this repository (its maintainers may see that)')
    .option('--actor <actor>', 'name of a person, user:ID, worker:ID or system')
    .option('--action <action>', 'exact, or a prefix that ends with a dot: run.')
    .option('--subject <id>', 'what it was done to')
    .action(async (options: ListOptions, command) => {
      const { limit, repository, ...filter } = options
      const path = repository ? `/api/v1/repositories/${encodeURIComponent(repository)}/audit` : '/api/v1/audit'
      const events: AuditEvent[] = []
      for await (const event of cli.client(command).all(path, AuditEvent, { ...filter, limit: Math.min(limit, 200) })) {
        events.push(event)
        if (events.length >= limit) break
      }
      const output = cli.output(command)
      output.result(events, ({ table }) =>
        table(
          ['seq', 'time', 'actor', 'action', 'subject', 'data'],
          events.map((row) => [
            String(row.seq),
            when(row.at),
            row.actorName ?? row.actor,
            isBypass(row) ? output.paint('red', row.action) : row.action,
            row.subject,
            JSON.stringify(row.data),
          ]),
        ),
      )
    })

  audit
    .command('verify')
    .description('prove that no event was changed or removed; exit code 1 when one was, and no reseal names it')
    .option('--kept <seq:hash>', 'a head that you kept: the chain must pass through it', keptHead)
    .action(async (options: { kept?: { seq: number; hash: string } }, command) => {
      const verdict = await cli
        .client(command)
        .send('POST', '/api/v1/audit/verify', AuditVerdict, { kept: options.kept })
      cli.output(command).result(verdict, () => verdictText(verdict))
      if (!verdict.ok) cli.exitWith(1)
    })

  audit
    .command('reseal')
    .description('continue a broken chain with a signed event that names where it is broken')
    .requiredOption('--reason <text>', 'how it came to be; it stands in the event')
    .addHelpText('after', '\nExample:\n  $ trueup audit reseal --reason "refused logins at once, in an earlier build"')
    .action(async (options: { reason: string }, command) => {
      const verdict = await cli
        .client(command)
        .send('POST', '/api/v1/audit/reseal', AuditVerdict, { reason: options.reason })
      cli.output(command).result(verdict, () => verdictText(verdict))
      if (!verdict.ok) cli.exitWith(1)
    })

  audit
    .command('export')
    .description('the whole chain as JSON lines, oldest first')
    .option('--from <seq>', 'first event', count, 1)
    .option('--file <file>', 'write there instead of standard output')
    .action(async (options: { from: number; file?: string }, command) => {
      const response = await cli.client(command).open('/api/v1/audit/export', { query: { from: options.from } })
      const body = Readable.fromWeb(response.body as never)
      if (!options.file) return pipeline(body, cli.streams.out, { end: false })
      await pipeline(body, createWriteStream(options.file, { flags: 'wx', mode: 0o600 })).catch(
        (error: NodeJS.ErrnoException) => {
          throw new TrueupError('INVALID_REQUEST', {
            doing: `writing the audit trail to ${options.file}`,
            why: error.code === 'EEXIST' ? 'the file exists' : error.message,
            next: 'Name a new file.',
            cause: error,
          })
        },
      )
      cli.output(command).note(`Written to ${options.file}`)
    })
}

function keptHead(text: string): { seq: number; hash: string } {
  const [, seq, hash] = /^(\d+):([0-9a-f]{64})$/.exec(text) ?? []
  if (seq && hash) return { seq: Number(seq), hash }
  throw new TrueupError('INVALID_REQUEST', {
    doing: 'reading --kept',
    why: `"${text}" is not SEQ:HASH`,
    next: 'Take both from the last line of an export: seq and hash.',
  })
}

/** Somebody went past what protects an environment. */
const isBypass = ({ action, data }: AuditEvent): boolean =>
  action === 'mr.merge_bypassed' || z.looseObject({ bypass: z.literal(true) }).safeParse(data).success
