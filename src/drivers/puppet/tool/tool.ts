import type { DriverContext } from '../../driver.ts'
import { checkVersion } from '../../tools/check-version.ts'
import { checkSupported } from '../../tools/supported.ts'
import { findTool, findToolIfAny, type Tool } from '../../tools/find-tool.ts'
import { findSsh } from '../../hosts/ssh-command.ts'
import type { PuppetConfig } from '../config.ts'

const PUPPET = {
  names: ['puppet'],
  install: 'Puppet 7 or newer (Debian: puppet-agent; https://www.puppet.com/docs/puppet/latest/install_agents.html)',
  versionArguments: ['--version'],
} as const
const LINT = { names: ['puppet-lint'], install: 'puppet-lint', versionArguments: ['--version'] } as const
const R10K = { names: ['r10k'], install: 'r10k (Debian: r10k)', versionArguments: ['version'] } as const

/** Puppet on the worker where it does the work, else the way to the hosts; theirs is found by the plan. */
export async function versions(context: DriverContext<PuppetConfig>): Promise<{ [tool: string]: string }> {
  if (context.config.hosts !== 'local') return { ssh: (await findSsh(context)).version }
  return { puppet: (await findTool(context, PUPPET)).version }
}

export const findPuppetIfAny = (context: DriverContext<unknown>): Promise<Tool<'puppet'> | null> =>
  findToolIfAny(context, PUPPET)

export const findLintIfAny = (context: DriverContext<unknown>): Promise<Tool<'puppet-lint'> | null> =>
  findToolIfAny(context, LINT)

/** @throws TOOL_MISSING */
export const findR10k = (context: DriverContext<unknown>): Promise<Tool<'r10k'>> =>
  findTool({ ...context, toolVersion: undefined } as DriverContext<unknown>, R10K)

/** @throws TOOL_VERSION, CONFIG_INVALID */
export function checkPuppetVersion(context: DriverContext<unknown>, path: string, version: string): void {
  checkSupported({ name: 'puppet', path, version })
  checkVersion({ name: 'puppet', path, version }, context.toolVersion)
}

export const PUPPET_INSTALL = PUPPET.install
