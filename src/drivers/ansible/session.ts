import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { DriverContext } from '../driver.ts'
import type { Tool } from '../tools/find-tool.ts'
import { type AnsibleConfig, inventoriesOf } from './config.ts'
import { defaultsOf, pathsIn } from './tool/configuration.ts'
import { type Connection, openConnection } from './source/connection.ts'
import { installRequirements } from './source/galaxy.ts'
import { inputEnvironment, writeVariables } from './source/inputs.ts'
import { fileOfStack, isThere } from './source/paths.ts'
import { credentialVariables, variableNamed } from './secrets/secrets.ts'
import { findAnsible } from './tool/tool.ts'
import { noQuestion, vaultArguments } from './secrets/passwords.ts'

const PLUGINS = fileURLToPath(new URL('./plugins/', import.meta.url))
/** What the plugin imports. */
const MODULES = ['trueup_files.py', 'trueup_lost.py', 'trueup_reach.py', 'trueup_tasks.py']
/** With fewer, many hosts wait for each other; each costs a process of 50 MB. */
const FORKS = 25

export interface Session {
  tool: Tool
  env: { [name: string]: string }
  /** The whole command line for the stack's playbook. */
  argv: string[]
  connection: Connection
}

/** Everything that a run of the playbook needs. The connection must be closed. */
export async function openSession(context: DriverContext<AnsibleConfig>): Promise<Session> {
  const tool = await findAnsible(context)
  const playbook = await fileOfStack(context, context.config.playbook)
  const inventories = await Promise.all(inventoriesOf(context.config).map((path) => fileOfStack(context, path)))
  const env = await baseEnvironment(context)
  const galaxy = await installRequirements(context, tool, env, await searchPaths(context))
  const connection = await openConnection(context)
  const variables = await writeVariables(context, { ansible_ssh_args: connection.sshArguments })
  return {
    tool,
    connection,
    env: { ...env, ...galaxy, ANSIBLE_SSH_CONTROL_PATH_DIR: connection.controlDirectory },
    argv: [
      tool.path,
      ...inventories.flatMap((path) => ['--inventory', path]),
      ...(await playbookArguments(context, connection)),
      '--extra-vars',
      `@${variables}`,
      playbook,
    ],
  }
}

async function playbookArguments(context: DriverContext<AnsibleConfig>, { privateKey }: Connection): Promise<string[]> {
  const { config } = context
  const option = (name: string, value: string | number | undefined | null): string[] =>
    value === undefined || value === null ? [] : [`--${name}=${value}`]
  return [
    '--diff',
    ...option('limit', config.limit),
    ...config.tags.flatMap((tag) => option('tags', tag)),
    ...config.skipTags.flatMap((tag) => option('skip-tags', tag)),
    ...option('user', config.user),
    ...option('private-key', privateKey),
    ...option('forks', config.forks),
    ...option('timeout', config.timeout),
    ...(config.become === true ? ['--become'] : []),
    ...option('become-user', config.becomeUser),
    ...option('become-method', config.becomeMethod),
    ...option('become-password-file', await becomePasswordFile(context)),
    ...(await vaultArguments(context)),
  ]
}

async function becomePasswordFile(context: DriverContext<AnsibleConfig>): Promise<string | null> {
  const { becomePassword } = context.config
  if (becomePassword === undefined) return null
  const file = join(context.scratch, 'become')
  await writeFile(file, variableNamed(context, becomePassword), { mode: 0o600 })
  return file
}

/**
 * The environment of every Ansible program. The stack's own ansible.cfg counts, except for what is set here; the ones of
 * the worker (/etc/ansible, ~/.ansible.cfg) do not, so that a plan means the same on every worker.
 */
export async function baseEnvironment(context: DriverContext<AnsibleConfig>): Promise<{ [name: string]: string }> {
  const home = join(context.scratch, 'ansible')
  const plugins = join(home, 'trueup-plugins')
  // Not beside it: Ansible takes every file there for a plugin.
  const library = join(home, 'trueup-python')
  for (const directory of [plugins, library]) await mkdir(directory, { recursive: true, mode: 0o700 })
  await copyFile(join(PLUGINS, 'trueup_events.py'), join(plugins, 'trueup_events.py'))
  for (const module of MODULES) await copyFile(join(PLUGINS, module), join(library, module))
  const { path: config, text } = await configurationFile(context)
  const given = { ...context.env }
  for (const name of credentialVariables(context.config)) delete given[name]
  return {
    ...(!defaultsOf(text).has('forks') && { ANSIBLE_FORKS: String(FORKS) }),
    ANSIBLE_PIPELINING: context.config.pipelining ? 'True' : 'False',
    ...given,
    ...inputEnvironment(context),
    ...noQuestion(context.config),
    LC_ALL: 'C.UTF-8',
    ANSIBLE_CONFIG: config,
    ANSIBLE_HOME: home,
    ANSIBLE_LOCAL_TEMP: join(home, 'tmp'),
    ANSIBLE_STDOUT_CALLBACK: 'trueup_events',
    ANSIBLE_CALLBACK_PLUGINS: plugins,
    ANSIBLE_HOST_KEY_CHECKING: 'True',
    ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED: 'True',
    ANSIBLE_RETRY_FILES_ENABLED: 'False',
    ANSIBLE_NOCOLOR: '1',
    ANSIBLE_NOCOWS: '1',
    NO_COLOR: '1',
    PYTHONPATH: [library, given['PYTHONPATH']].filter((path) => path !== undefined).join(':'),
    PYTHONDONTWRITEBYTECODE: '1',
  }
}

/** Where the stack's ansible.cfg says that roles and collections are, as absolute paths. */
async function searchPaths(context: DriverContext<AnsibleConfig>): Promise<{ roles: string[]; collections: string[] }> {
  const options = defaultsOf((await configurationFile(context)).text)
  const absolute = (only: RegExp) => pathsIn(options, only).map((path) => join(context.directory, path))
  return { roles: absolute(/^roles_path$/), collections: absolute(/^collections_paths?$/) }
}

async function configurationFile(context: DriverContext<unknown>): Promise<{ path: string; text: string }> {
  const own = join(context.directory, 'ansible.cfg')
  if (await isThere(own)) {
    const path = await fileOfStack(context, 'ansible.cfg')
    return { path, text: await readFile(path, 'utf8') }
  }
  const path = join(context.scratch, 'ansible.cfg')
  await writeFile(path, '')
  return { path, text: '' }
}
