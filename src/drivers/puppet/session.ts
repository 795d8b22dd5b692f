import { join, posix } from 'node:path'
import { TrueupError } from '../../lib/errors/error.ts'
import type { ProcessResult } from '../../lib/process/supervise.ts'
import type { DriverContext } from '../driver.ts'
import type { Host, Places } from '../hosts/host.ts'
import { workspaceFiles } from '../hosts/workspace-files.ts'
import { checkEnded, toolFailed } from '../tools/verdict.ts'
import type { PuppetConfig } from './config.ts'
import { dependencies } from './dependencies.ts'
import { modulesIn } from './source/local-sources.ts'
import { installModules } from './tool/r10k.ts'
import { PREPARE } from './tool/scripts.ts'
import { type Encrypted, encryptedIn } from './source/eyaml.ts'
import { findSource, type PuppetSource } from './source/source.ts'
import { type Decrypted, decrypted } from './tool/eyaml.ts'
import { PUPPET_INSTALL } from './tool/tool.ts'

/** What a stack is made of, in the run's workspace: the same for all hosts. */
export interface Prepared {
  source: PuppetSource
  /** Paths of the repository that a host needs. */
  paths: string[]
  /** Directory of modules that r10k installed, or null. */
  installed: string | null
  environment: string
  encrypted: Encrypted
}

/** @throws SOURCE_INVALID, PATH_OUTSIDE, and what r10k fails with */
export async function prepare(context: DriverContext<PuppetConfig>): Promise<Prepared> {
  const { read, list } = workspaceFiles(context)
  const { path } = context.stack
  const source = await findSource(read, list, path, context.config)
  const paths = [path, ...(await dependencies(read, list, path, context.config))]
  return {
    source,
    paths,
    encrypted: await encryptedIn(paths, source.hiera, { read, list }),
    installed: await installModules(context, source),
    environment: context.config.environment ?? context.stack.environment.toLowerCase().replaceAll(/[^a-z0-9_]/g, '_'),
  }
}

/** Puppet on one host, ready to run. */
export interface Session {
  host: Host
  puppet: string
  places: Places
  /** Modules of the repository and of its Puppetfile by name, as directories of the host. */
  modules: ReadonlyMap<string, string>
  /** Arguments that every call of `puppet apply` gets: nothing of the host's own configuration is used or written. */
  arguments: string[]
  /** What stands encrypted in Hiera's data and Puppet will decrypt here. */
  decrypted: Decrypted
  /** A path in messages of Puppet as one of the repository. */
  repositoryPath: (path: string) => string
  run(argv: string[], options?: { graceMs?: number; onLine?: (line: string) => void }): Promise<ProcessResult>
}

/** @throws TOOL_MISSING, TOOL_FAILED, CANCELED, and errors of the connection */
export async function openSession(
  context: DriverContext<PuppetConfig>,
  host: Host,
  prepared: Prepared,
): Promise<Session> {
  const on = host.name === '' ? 'on this worker' : `on host "${host.name}"`
  const puppet = await host.which(['puppet', '/opt/puppetlabs/bin/puppet'])
  if (puppet === null) {
    throw new TrueupError('TOOL_MISSING', {
      doing: `looking for Puppet ${on}`,
      why: 'puppet is not on its PATH',
      next: `Install ${PUPPET_INSTALL}.`,
    })
  }
  const { source, environment, installed } = prepared
  const places = await host.place({ paths: prepared.paths, ...(installed !== null && { extra: { r10k: installed } }) })
  const at = (path: string): string => posix.join(places.root, path)
  const { directory } = host

  const made = await host.run({
    argv: ['sh', '-c', PREPARE, 'sh', directory, at(context.stack.path), environment],
    quiet: true,
  })
  checkEnded(`preparing ${on}`, made)
  if (made.exitCode !== 0) throw toolFailed(`preparing ${on}`, made)
  await host.write('facts.d/trueup.json', JSON.stringify({ trueup: factsOf(context) }))

  // Since Puppet 8 reports leave out what is as wanted, and what was looked at would not be known. Older ones ignore it here.
  // As root Puppet gives its directories to an account of its own unless told otherwise; these are the run's, and in a sandbox
  // there is one account only.
  await host.write('conf/puppet.conf', '[main]\nexclude_unchanged_resources = false\nuser = root\ngroup = root\n')
  // Not as an option: Puppet forgets that when it applies a catalog.
  const modulepath = [...source.modulepath.map(at), ...Object.values(places.extra), '$basemodulepath'].join(':')
  await host.write(`code/environments/${environment}/environment.conf`, `modulepath = ${modulepath}\n`)
  return {
    host,
    puppet,
    places,
    modules: await modulesIn([
      ...source.modulepath.map((path) => ({ here: join(context.workspace, path), there: at(path) })),
      ...Object.values(places.extra).map((there) => ({ here: installed!, there })),
    ]),
    decrypted: await decrypted(context, host, puppet, prepared.encrypted),
    arguments: [
      '--confdir',
      `${directory}/conf`,
      '--codedir',
      `${directory}/code`,
      '--vardir',
      `${directory}/var`,
      '--publicdir',
      `${directory}/public`,
      '--logdir',
      `${directory}/log`,
      '--rundir',
      `${directory}/run`,
      '--ssldir',
      `${directory}/conf/ssl`,
      '--pluginfactdest',
      `${directory}/facts.d`,
      '--environment',
      environment,
      ...(source.hiera !== null ? ['--hiera_config', at(source.hiera)] : []),
      '--color',
      'false',
      '--no-show_diff',
      '--logdest',
      `${directory}/log.json`,
      '--logdest',
      'console',
    ],
    repositoryPath: (path) => repositoryPath(path, places),
    run: (argv, { onLine, ...options } = {}) =>
      host.run({
        ...options,
        argv,
        guarded: true,
        quiet: true,
        onLine: (line) => {
          if (/^(trueup-|Error: Facter: )/.test(line)) return
          context.log(host.name === '' ? line : `${host.name}: ${line}`)
          onLine?.(line)
        },
      }),
  }
}

/** What manifests see as `$facts['trueup']`. */
const factsOf = (context: DriverContext<PuppetConfig>): object => ({
  environment: context.stack.environment,
  stack: context.stack.name,
  inputs: Object.fromEntries(Object.entries(context.inputs).map(([name, { value }]) => [name, value])),
})

function repositoryPath(path: string, { root, extra }: Places): string {
  if (path.startsWith(`${root}/`)) return path.slice(root.length + 1)
  const module = Object.entries(extra).find(([, directory]) => path.startsWith(`${directory}/`))
  return module === undefined ? path : `<${module[0]}>${path.slice(module[1].length)}`
}
