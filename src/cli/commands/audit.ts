import { createWriteStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { Readable } from 'node:stream'
import { z } from 'zod'
import { AuditArchives, AuditEvent, AuditVerdict } from '../../server/schemas/operations.ts'
import type { CommandModule } from '../cli.ts'
import { count } from '../arguments.ts'
import { exportText, verdictText } from '../audit-text.ts'

import { TrueupError } from '../../lib/errors/error.ts'
import { when } from '../times.ts'

interface VerifyOptions {
  kept?: { seq: number; hash: string }
  checkpoint?: string
  export?: string
  key?: string
}

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
    .option(
      '--checkpoint <file>',
      'verify against a checkpoint: of events that left the database, or all that were sent to a place (file:, s3:, git:)',
    )
    .option(
      '--export <file>',
      'with --checkpoint: these events, and not those of the archive beside it or of the server',
    )
    .option('--key <file>', "with --checkpoint: public key that you kept, and not the server's; no server is asked")
    .addHelpText(
      'after',
      '\nExample:\n  $ trueup audit verify --checkpoint events-000000000001-000000050000.checkpoint.json --key audit.pub\n  $ trueup audit verify --checkpoint s3://audit-of-the-team/trueup?region=eu-central-1 --key audit.pub',
    )
    .action(async (options: VerifyOptions, command) => {
      if (options.checkpoint !== undefined) {
        const { verifyArchive } = await import('../audit-archive.ts')
        const verdict = await verifyArchive(cli, command, { ...options, checkpoint: options.checkpoint })
        cli.output(command).result(verdict, () => exportText(verdict))
        if (!verdict.ok) cli.exitWith(1)
        return
      }
      if (options.export !== undefined || options.key !== undefined)
        throw new TrueupError('INVALID_REQUEST', {
          doing: 'verifying the audit trail',
          why: '--export and --key go with --checkpoint',
          next: 'Name the checkpoint too, or leave them out.',
        })
      const verdict = await cli
        .client(command)
        .send('POST', '/api/v1/audit/verify', AuditVerdict, { kept: options.kept })
      cli.output(command).result(verdict, () => verdictText(verdict))
      if (!verdict.ok) cli.exitWith(1)
    })

  audit
    .command('archives')
    .description('parts of the chain that left the database, each with its signed checkpoint')
    .action(async (_options, command) => {
      const list = await cli.client(command).get('/api/v1/audit/archives', AuditArchives)
      cli.output(command).result(list, ({ table }) =>
        list.archives.length === 0
          ? 'Every event is in the database.'
          : table(
              ['from', 'through', 'events', 'first', 'last', 'left', 'file'],
              list.archives.map((one) => [
                String(one.fromSeq),
                String(one.through),
                String(one.count),
                when(one.firstAt),
                when(one.lastAt),
                when(one.at),
                one.file,
              ]),
            ),
      )
    })

  audit
    .command('key')
    .description('public key by which checkpoints are signed; keep it elsewhere')
    .action(async (_options, command) => {
      const { keyId, publicKey } = await cli.client(command).get('/api/v1/audit/archives', AuditArchives)
      cli.output(command).result({ keyId, publicKey }, () => publicKey.trimEnd())
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
    .description('the whole chain in the database as JSON lines, oldest first')
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
