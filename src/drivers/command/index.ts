import { posix } from 'node:path'
import { NO_CAPABILITIES, type Driver, type DriverContext } from '../driver.ts'
import { CommandConfig, isExecutable, type ExecutableConfig, type ShellConfig } from './config.ts'
import * as executable from './executable/verbs.ts'
import * as shell from './shell/verbs.ts'

/** Any tool: shell commands, or an executable that speaks the driver protocol (docs/driver-protocol.md). */
export const commandDriver: Driver<CommandConfig> = {
  name: 'command',
  capabilities: NO_CAPABILITIES,
  capabilitiesOf: (config) => ({
    ...NO_CAPABILITIES,
    destroy: isExecutable(config) ? config.destroy : config.destroy !== undefined,
    idempotentApply: config.idempotent,
  }),
  config: CommandConfig,
  // Nothing in a repository says by itself that a command manages it.
  detect: async () => [],
  dependencies: async (_read, _list, path, config) => executableElsewhere(path, config),
  versions: (context) => pick(context, shell.versions, executable.versions),
  validate: (context) => pick(context, shell.validate, executable.validate),
  plan: (context) => pick(context, shell.plan, executable.plan),
  apply: (context, plan) =>
    pick(
      context,
      (its) => shell.apply(its, plan),
      (its) => executable.apply(its, plan),
    ),
}

function pick<T>(
  context: DriverContext<CommandConfig>,
  ofShell: (context: DriverContext<ShellConfig>) => Promise<T>,
  ofExecutable: (context: DriverContext<ExecutableConfig>) => Promise<T>,
): Promise<T> {
  const { config } = context
  return isExecutable(config) ? ofExecutable({ ...context, config }) : ofShell({ ...context, config })
}

/** `../../tools/driver.py` stands outside the stack's directory, and the desired state depends on it all the same. */
function executableElsewhere(path: string, config: CommandConfig): string[] {
  if (!isExecutable(config) || !config.executable.includes('/') || config.executable.startsWith('/')) return []
  const file = posix.join(path, config.executable)
  const isInside = file === path || file.startsWith(`${posix.normalize(path)}/`) || path === '.'
  return isInside || file.startsWith('..') ? [] : [file]
}
