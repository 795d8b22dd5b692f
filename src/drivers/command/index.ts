import { NO_CAPABILITIES, type Driver, type DriverContext } from '../driver.ts'
import { applyExecutable } from './apply/executable.ts'
import { applyShell } from './apply/shell.ts'
import { CommandConfig, isExecutable, type ExecutableConfig, type ShellConfig } from './config.ts'
import { dependencies } from './dependencies.ts'
import { detect } from './detect.ts'
import { executables } from './executables.ts'
import { planExecutable } from './plan/executable.ts'
import { planShell } from './plan/shell.ts'
import { executableVersions, shellVersions } from './tool/versions.ts'
import { validateExecutable, validateShell } from './validate.ts'

/** Any tool: shell commands, or an executable that speaks the driver protocol (docs/driver-protocol.md). */
export const commandDriver: Driver<CommandConfig> = {
  name: 'command',
  contained: true,
  capabilities: NO_CAPABILITIES,
  capabilitiesOf: (config) => ({
    ...NO_CAPABILITIES,
    destroy: isExecutable(config) ? config.destroy : config.destroy !== undefined,
    idempotentApply: config.idempotent,
  }),
  config: CommandConfig,
  executables,
  detect,
  dependencies,
  versions: (context) => pick(context, shellVersions, executableVersions),
  validate: (context) => pick(context, validateShell, validateExecutable),
  plan: (context) => pick(context, planShell, planExecutable),
  apply: (context, plan) =>
    pick(
      context,
      (its) => applyShell(its, plan),
      (its) => applyExecutable(its, plan),
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
