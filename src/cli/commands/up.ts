import { resolve } from 'node:path'
import { InvalidArgumentError, Option } from 'commander'
import { parseDuration } from '../../domain/duration.ts'
import { type SandboxGiven, sandboxSettings, withSandboxOptions } from '../../worker/sandbox/options.ts'
import type { CommandModule } from '../cli.ts'
import { databaseOf, databaseOption } from '../database-option.ts'
import { dataDirectory } from '../settings.ts'
import { startWebBuild } from '../web-build.ts'

interface UpOptions extends SandboxGiven {
  data?: string
  database?: string
  host: string
  port: number
  publicUrl?: string
  issuerUrl?: string
  signers?: string
  auditCheckpoints?: string[]
  logLevel: 'error' | 'warn' | 'info' | 'debug' | 'silent'
  runnerSlots: number
  workDir?: string
  trustProxy?: string[]
  lease?: number
}

/** `trueup up`: the server with everything embedded, in the foreground. */
export const upCommand: CommandModule = (program, cli) => {
  withSandboxOptions(program.command('up'))
    .description('start a server with everything embedded: database, Git hosting, runner')
    .option('--data <directory>', 'where everything is kept (default: TRUEUP_DATA, or ~/.local/share/trueup)')
    .addOption(databaseOption())
    .option('--host <address>', 'address to listen on; 0.0.0.0 for every interface', '127.0.0.1')
    .option('--port <port>', 'port to listen on; 0 takes a free one', number(0, 65_535), 7420)
    .option('--public-url <url>', 'address at which others reach it, for links and Git remotes', publicUrl)
    .option('--issuer-url <url>', 'issuer in the tokens of runs, where it is not the public address', publicUrl)
    .option('--signers <file>', 'keys whose signatures of commits count in all repositories, as a YAML list')
    .option(
      '--audit-checkpoints <places...>',
      'where signed checkpoints of the audit are sent: file:/PATH, syslog+tcp://HOST:PORT, s3://BUCKET/PREFIX, git:URL#REF',
    )
    .option('--runner-slots <n>', 'runs of the built-in runner at a time; 0 starts none', number(0, 1000), 2)
    .option('--work-dir <directory>', 'where runs work, best in memory (default: a tmpfs with room)')
    .option('--trust-proxy <addresses...>', 'reverse proxies whose X-Forwarded-* headers are believed')
    .addOption(
      new Option('--lease <duration>', 'how long a worker may be silent before its runs are taken from it').argParser(
        lease,
      ),
    )
    .addOption(
      new Option('--log-level <level>', 'of the JSON log on stderr')
        .choices(['error', 'warn', 'info', 'debug', 'silent'])
        .default('warn'),
    )
    .addHelpText(
      'after',
      '\nExamples:\n  $ trueup up\n  $ trueup up --data /var/lib/trueup --host 0.0.0.0 --public-url https://trueup.example.org --log-level info',
    )
    .action(async (options: UpOptions, command) => {
      const { startServer } = await import('../../server/start.ts')
      const { data, lease: leaseMs, sandbox: _mode, signers, ...rest } = options
      const output = cli.output(command)
      const web = startWebBuild((line) => output.note(line))
      const dataDir = resolve(cli.cwd, dataDirectory(cli.env, data))
      const sandbox = sandboxSettings(options, [dataDir])
      const signersFile = signers === undefined ? undefined : resolve(cli.cwd, signers)
      const server = await startServer({
        ...rest,
        signersFile,
        leaseMs,
        dataDir,
        sandbox,
        database: databaseOf(cli.env, options),
      })
      const facts = {
        url: server.url,
        dataDir: server.dataDir,
        adminTokenFile: server.adminTokenFile,
        firstStart: server.firstStart,
      }
      output.result(facts, () => welcome(facts, server.loginLink()))
      await new Promise<void>((done) => {
        const over = AbortSignal.any([cli.signal, server.lost])
        if (over.aborted) done()
        over.addEventListener('abort', () => done(), { once: true })
      })
      web.stop()
      output.note('Stopping: running work may finish (again Ctrl-C to stop at once)…')
      await server.close()
      server.lost.throwIfAborted()
      output.note('Stopped.')
    })
}

function welcome(
  facts: { url: string; dataDir: string; adminTokenFile: string | null; firstStart: boolean },
  link: string | null,
): string {
  return [
    `Trueup is up at ${facts.url}`,
    `  data    ${facts.dataDir}`,
    ...(facts.adminTokenFile === null ? [] : [`  admin   the token in ${facts.adminTokenFile}`]),
    ...(link === null
      ? []
      : [
          `  browser ${link}`,
          '          (logs in as the administrator, once, within ten minutes; later: trueup open)',
        ]),
    ...(facts.firstStart
      ? [
          '',
          'First start: an administrator "admin" was made. On this machine commands find its token by themselves;',
          'elsewhere:',
          `  trueup login ${facts.url} --token-stdin < admin.token`,
        ]
      : []),
    '',
    'Next: trueup repo create NAME (in another terminal). Ctrl-C stops the server.',
  ].join('\n')
}

/** Shorter, and a busy machine loses runs whose worker is well; longer, and a dead worker blocks its stacks for hours. */
const [SHORTEST_LEASE_MS, LONGEST_LEASE_MS] = [1_000, 3_600_000]

function lease(text: string): number {
  const ms = /^\d+(ms|s|m|h)$/.test(text) ? parseDuration(text) : Number.NaN
  if (!(ms >= SHORTEST_LEASE_MS && ms <= LONGEST_LEASE_MS))
    throw new InvalidArgumentError('A duration from 1s to 1h is needed.')
  return ms
}

/** Links and Git remotes are made by appending to it. */
function publicUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null
  if (url && /^https?:$/.test(url.protocol) && url.search === '' && url.hash === '') return text
  throw new InvalidArgumentError('An http or https address is needed: https://trueup.example.org.')
}

const number =
  (min: number, max: number) =>
  (text: string): number => {
    const value = Number(text)
    if (!/^\d+$/.test(text) || value < min || value > max)
      throw new InvalidArgumentError(`A number from ${min} to ${max} is needed.`)
    return value
  }
