import { readFile } from 'node:fs/promises'
import { posix } from 'node:path'
import { TrueupError } from '../../lib/errors/error.ts'
import type { JsonObject } from '../../lib/json.ts'
import type { ProcessResult } from '../../lib/process/supervise.ts'
import type { DriverContext } from '../driver.ts'
import type { Host } from '../hosts/host.ts'
import { workspaceFiles } from '../hosts/workspace-files.ts'
import { clientRb, nodeJson, PLUGINS } from './tool/client-rb.ts'
import type { ChefConfig } from './config.ts'
import { dependencies } from './dependencies.ts'
import { type ChefReport, parseReport } from './tool/report.ts'
import { cookbooksOf } from './source/cookbooks.ts'
import { type ChefSource, findSource } from './source/source.ts'
import { CHEF_INSTALL, clientNames } from './tool/tool.ts'

const MAX_REPORT = 64 * 1024 * 1024

/** What a stack is made of, in the run's workspace: the same for all hosts. */
export interface Prepared {
  source: ChefSource
  paths: string[]
  /** Where each cookbook lies in the repository, by the name that its metadata gives it. */
  homes: ReadonlyMap<string, string>
}

/** @throws SOURCE_INVALID, PATH_OUTSIDE */
export async function prepare(context: DriverContext<ChefConfig>): Promise<Prepared> {
  const { read, list } = workspaceFiles(context)
  const { path } = context.stack
  const source = await findSource(read, list, path, context.config)
  return {
    source,
    paths: [path, ...(await dependencies(read, list, path, context.config))],
    homes: new Map((await cookbooksOf(read, list, source)).map(({ name, home }) => [name, home])),
  }
}

export interface RunOptions {
  whyRun: boolean
  ignored: { [resource: string]: string[] }
  onLine?: (line: string) => void
  graceMs: number
}

/** Chef on one host, ready to run. */
export interface Session {
  host: Host
  client: string
  /** Runs it; the report is null where it did not come so far. */
  run(options: RunOptions): Promise<{ result: ProcessResult; report: ChefReport | null }>
  /** The place in the repository of a file on the host: Chef runs cookbooks from a copy in its cache. Null where it has none. */
  repositoryPath: (path: string) => string | null
}

/** @throws TOOL_MISSING, and errors of the connection */
export async function openSession(
  context: DriverContext<ChefConfig>,
  host: Host,
  { source, paths, homes }: Prepared,
): Promise<Session> {
  const on = host.name === '' ? 'on this worker' : `on host "${host.name}"`
  const names = clientNames(context.config)
  const client = await host.which([
    ...names,
    ...names.flatMap((name) => [`/opt/chef/bin/${name}`, `/opt/cinc/bin/${name}`]),
  ])
  if (client === null) {
    throw new TrueupError('TOOL_MISSING', {
      doing: `looking for Chef ${on}`,
      why: `${names.join(' or ')} is not on its PATH`,
      next: `Install ${CHEF_INSTALL}.`,
    })
  }
  const { root } = await host.place({ paths })
  const at = (path: string): string => posix.join(root, path)
  const { directory } = host
  const copies = `${directory}/cache/cookbooks`
  for (const name of PLUGINS) {
    await host.write(name, await readFile(new URL(`./plugins/${name}`, import.meta.url)))
  }
  await host.write('node.json', nodeJson(source.runList, source.attributes, trueupAttributes(context)))
  // Chef takes directories of cookbooks, and a policy names single ones.
  const singles = Object.entries(source.single)
  for (const [name, path] of singles) {
    await host.run({
      argv: ['sh', '-c', 'mkdir -p "$1" && ln -sfn "$2" "$1/$3"', 'sh', `${directory}/policy`, at(path), name],
      quiet: true,
    })
  }
  const cookbookPath = [...source.cookbookPath.map(at), ...(singles.length > 0 ? [`${directory}/policy`] : [])]
  return {
    host,
    client,
    repositoryPath(path) {
      if (path.startsWith(`${root}/`)) return path.slice(root.length + 1)
      const copied = path.startsWith(`${copies}/`) ? path.slice(copies.length + 1) : null
      const slash = copied?.indexOf('/') ?? -1
      const home = copied === null || slash === -1 ? undefined : homes.get(copied.slice(0, slash))
      return home === undefined ? null : `${home}${copied!.slice(slash)}`
    },
    async run({ whyRun, ignored, onLine, graceMs }) {
      const settings = {
        directory,
        cookbookPath,
        roles: source.roles === null ? null : at(source.roles),
        dataBags: source.dataBags === null ? null : at(source.dataBags),
        salt: context.hash('chef report'),
        ignored,
        whyRun,
      }
      await host.write('client.rb', clientRb(settings))
      await host.run({ argv: ['rm', '-f', `${directory}/report.json`], quiet: true })
      const result = await host.run({
        argv: [
          client,
          '--local-mode',
          '--config',
          `${directory}/client.rb`,
          '--json-attributes',
          `${directory}/node.json`,
          '--no-color',
          '--format',
          'doc',
          '--force-formatter',
          '--log_level',
          'warn',
          '--run-lock-timeout',
          String(context.config.lockTimeout),
          '--no-fork',
          ...(whyRun ? ['--why-run'] : []),
        ],
        guarded: true,
        quiet: true,
        graceMs,
        onLine: (line) => {
          context.log(host.name === '' ? line : `${host.name}: ${line}`)
          onLine?.(line)
        },
      })
      if (result.canceled) return { result, report: null }
      const text = await host.read(`${directory}/report.json`, MAX_REPORT)
      return { result, report: text === null ? null : parseReport(text.toString('utf8'), `reading the report ${on}`) }
    },
  }
}

/** What recipes see as `node['trueup']`. */
const trueupAttributes = (context: DriverContext<ChefConfig>): JsonObject => ({
  environment: context.stack.environment,
  stack: context.stack.name,
  inputs: Object.fromEntries(Object.entries(context.inputs).map(([name, { value }]) => [name, value])),
})
