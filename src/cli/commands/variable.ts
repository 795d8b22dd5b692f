import { type Command, Option } from 'commander'
import { TrueupError } from '../../lib/errors/error.ts'
import { Done } from '../../server/schemas/common.ts'
import { Variable } from '../../server/schemas/variables.ts'
import type { CommandModule } from '../cli.ts'
import { collect } from '../output.ts'
import { readSecret } from '../prompt.ts'
import { repositoryName, repositoryPath, withRepository } from '../repository.ts'

interface Scope {
  environment?: string
  stack?: string
  phase: 'both' | 'plan' | 'apply'
}

const withScope = (command: Command): Command =>
  withRepository(command)
    .option('--environment <name>', 'for this environment only (default: for all)')
    .option('--stack <stack>', 'ENVIRONMENT/NAME: for this stack only')
    .addOption(
      new Option('--phase <phase>', 'for plans (also of unmerged code), for applies, or both')
        .choices(['both', 'plan', 'apply'])
        .default('both'),
    )

/** `trueup variable`: values and secrets of stacks, which go in and never come out. */
export const variableCommands: CommandModule = (program, cli) => {
  const variable = program.command('variable').description('variables and secrets of stacks; values never come out')
  const path = async (command: Command): Promise<string> =>
    `${repositoryPath(await repositoryName(cli, command))}/variables`

  withRepository(variable.command('list').description('which there are, without their values')).action(
    async (_options, command) => {
      const all = await collect(cli.client(command).all(await path(command), Variable))
      cli.output(command).result(all, ({ table, when }) =>
        table(
          ['name', 'for', 'phase', 'secret', 'version', 'by', 'set'],
          all.map((row) => [
            row.name,
            scopeText(row),
            row.phase,
            row.secret ? 'yes' : 'no',
            String(row.version),
            row.updatedBy,
            when(row.updatedAt),
          ]),
        ),
      )
    },
  )

  withScope(variable.command('set').description('set a variable; asks for the value, or reads it from standard input'))
    .argument('<name>')
    .option('--plain', 'not a secret: logs may show it', false)
    .option('--keep-newline', 'keep a line break at the end of standard input', false)
    .addHelpText(
      'after',
      `
The value is never taken from the command line, where others could see it. Deployed stacks that get the variable are
planned with it at once.

Examples:
  $ trueup variable set CLOUD_TOKEN --environment production --phase apply
  $ trueup variable set TLS_KEY --stack production/web < tls.key
  $ echo eu-west-1 | trueup variable set REGION --plain`,
    )
    .action(async (name: string, options: Scope & { plain: boolean; keepNewline: boolean }, command) => {
      const scope = scopeOf(options)
      const value = await readSecret(cli, `Value of ${name}: `, { keepNewline: options.keepNewline })
      const body = { name, ...scope, phase: options.phase, secret: !options.plain, value }
      const set = await cli.client(command).send('PUT', await path(command), Variable, body)
      cli.output(command).result(set, () => `Set ${name} for ${scopeText(set)}, version ${set.version}`)
    })

  withScope(variable.command('delete').description('delete a variable; what used it is planned without it'))
    .argument('<name>')
    .action(async (name: string, options: Scope, command) => {
      const client = cli.client(command)
      const url = await path(command)
      const { environment, stack } = scopeOf(options)
      const all = await collect(client.all(url, Variable))
      const named = all.filter((row) => row.name === name)
      const found = named.find(
        (row) => row.environment === environment && row.stack === stack && row.phase === options.phase,
      )
      if (!found) {
        const others = named.map((row) => `for ${scopeText(row)}, phase ${row.phase}`)
        throw new TrueupError('NOT_FOUND', {
          doing: `deleting variable ${name} for ${scopeText({ environment, stack })}, phase ${options.phase}`,
          why: others.length === 0 ? 'there is none of that name' : `there is only one ${others.join('; ')}`,
          next: '`trueup variable list` shows them; name one with --environment, --stack and --phase.',
        })
      }
      await client.send('DELETE', `${url}/${encodeURIComponent(found.id)}`, Done)
      cli.output(command).result(found, () => `Deleted ${name} for ${scopeText(found)}`)
    })
}

function scopeOf({ environment, stack }: Scope): { environment: string | null; stack: string | null } {
  if (stack === undefined) return { environment: environment ?? null, stack: null }
  const slash = stack.indexOf('/')
  const place = stack.slice(0, Math.max(slash, 0))
  if (slash > 0 && (environment === undefined || environment === place))
    return { environment: place, stack: stack.slice(slash + 1) }
  const why = slash > 0 ? `"${stack}" is not in environment "${environment}"` : `"${stack}" is not ENVIRONMENT/NAME`
  throw new TrueupError('INVALID_REQUEST', { doing: 'reading --stack', why, next: '`trueup stack list` names them.' })
}

const scopeText = ({ environment, stack }: Pick<Variable, 'environment' | 'stack'>): string =>
  environment === null ? 'all' : stack === null ? `${environment}/*` : `${environment}/${stack}`
