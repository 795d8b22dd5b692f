import { dirname, posix } from 'node:path'
import { TrueupError } from '../../lib/errors/error.ts'
import type { ProcessResult } from '../../lib/process/supervise.ts'
import type { DriverContext } from '../driver.ts'
import { checkEnded, toolFailed } from '../tools/verdict.ts'
import type { HostSettings } from './config.ts'
import { checkConnected, connect, remoteShell } from './connection.ts'
import type { Host, HostRun } from './host.ts'
import { packDirectories } from './pack.ts'
import { quoted } from './quote.ts'
import { GUARD, RUNNER } from './remote-scripts.ts'
import type { SshCommand } from './ssh-command.ts'
import type { SshFiles } from './ssh-files.ts'

const SHORT_MS = 120_000

/** A machine over SSH. @throws as `connect` does */
export async function openRemote(
  context: DriverContext<HostSettings>,
  files: SshFiles,
  command: SshCommand,
): Promise<Host> {
  const connection = await connect(context, files, command)
  const { directory } = connection
  const { config } = context
  const { name } = command.target

  const run = async ({ argv, cwd, env, guarded, ...spec }: HostRun): Promise<ProcessResult> => {
    const program = guarded ? ['sh', '-c', GUARD, 'trueup', ...argv] : argv
    const settings = Object.entries(env ?? {}).map(([key, value]) => `${key}=${value}`)
    const words = settings.length === 0 ? program : ['env', ...settings, ...program]
    const result = await context.run({
      ...spec,
      argv: [command.program, ...command.further, remoteShell(config, RUNNER, directory, cwd ?? directory, ...words)],
      env: { PATH: context.env.PATH ?? '', HOME: context.scratch, LANG: 'C' },
      // What runs on the host is ended by the keeper; the client here has nothing to clear up.
      graceMs: 1_000,
    })
    await checkConnected(connection, command, result)
    return result
  }
  const short = async (doing: string, argv: string[], input?: Buffer): Promise<ProcessResult> => {
    const result = await run({ argv, quiet: true, timeoutMs: SHORT_MS, ...(input && { input }) })
    checkEnded(`${doing} on host "${name}"`, result)
    return result
  }
  const must = async (doing: string, argv: string[], input?: Buffer): Promise<void> => {
    const result = await short(doing, argv, input)
    if (result.exitCode === 0) return
    if (/No space left|quota exceeded/i.test(result.stderr)) {
      throw new TrueupError('TARGET_FULL', { doing: `${doing} on host "${name}"`, why: result.stderr.trim() })
    }
    throw toolFailed(`${doing} on host "${name}"`, result)
  }
  const write = (path: string, content: string | Buffer): Promise<void> => {
    const file = posix.join(directory, path)
    const script = 'umask 077; mkdir -p "$1" && cat >"$2"'
    return must('writing a file', ['sh', '-c', script, 'sh', dirname(file), file], Buffer.from(content))
  }

  const host: Host = {
    name,
    directory,
    write,
    run,
    async place({ paths, extra = {} }) {
      const packed = await packDirectories([
        ...paths.map((path) => ({ from: posix.join(context.workspace, path), to: posix.join('src', path) })),
        ...Object.entries(extra).map(([to, from]) => ({ from, to: posix.join('extra', to) })),
      ])
      await must('unpacking the source', ['tar', '-xof', '-', '-C', directory], packed)
      return {
        root: posix.join(directory, 'src'),
        extra: Object.fromEntries(Object.keys(extra).map((to) => [to, posix.join(directory, 'extra', to)])),
      }
    },
    async read(path, limit) {
      // Base64, because output is text here.
      const script = '[ -f "$1" ] && head -c "$2" "$1" | base64'
      const result = await short('reading a file', ['sh', '-c', script, 'sh', path, String(limit)])
      return result.exitCode === 0 ? Buffer.from(result.stdout, 'base64') : null
    },
    async which(names) {
      const script = 'for each; do command -v "$each" && exit 0; done; exit 1'
      const result = await short('looking for a tool', ['sh', '-c', script, 'sh', ...names])
      return result.exitCode === 0 ? result.stdout.trim().split('\n')[0]! : null
    },
    close: () => connection.close(),
  }
  try {
    await write('.env', environmentScript(context))
    return host
  } catch (thrown) {
    await connection.close()
    throw thrown
  }
}

/** Variables go to the host in a file only its account can read: arguments are seen by everybody there. */
function environmentScript({ config, env }: DriverContext<HostSettings>): string {
  const wanted = config.variables.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]] as const]))
  const all = [['LANG', 'C.UTF-8'] as const, ['TZ', 'UTC'] as const, ...wanted]
  return all.map(([name, value]) => `${name}=${quoted(value)}; export ${name}\n`).join('')
}
