import type { DriverContext } from '../../driver.ts'
import { findSsh } from '../../hosts/ssh-command.ts'
import { findTool, findToolIfAny, type Tool } from '../../tools/find-tool.ts'
import type { ChefConfig } from '../config.ts'

export const CHEF_INSTALL =
  'Chef Infra Client 16 or newer (https://docs.chef.io/install_script/) or Cinc Client (https://cinc.sh)'

/** Programs that the stack accepts, the preferred one first. */
export function clientNames({ client }: ChefConfig): readonly ['chef-client' | 'cinc-client', ...string[]] {
  return client === 'auto' ? ['chef-client', 'cinc-client'] : [client]
}

/** Chef on the worker where it does the work, else the way to the hosts; theirs is found by the plan. */
export async function versions(context: DriverContext<ChefConfig>): Promise<{ [tool: string]: string }> {
  if (context.config.hosts !== 'local') return { ssh: (await findSsh(context)).version }
  const [first, ...others] = clientNames(context.config)
  const tool = await findTool(context, {
    names: [first, ...others],
    install: CHEF_INSTALL,
    versionArguments: ['--version'],
  })
  return { [tool.name]: tool.version }
}

export const findRubyIfAny = (context: DriverContext<unknown>): Promise<Tool<'ruby'> | null> =>
  findToolIfAny(context, { names: ['ruby'], install: 'Ruby', versionArguments: ['--version'] })

export const findCookstyleIfAny = (context: DriverContext<unknown>): Promise<Tool<'cookstyle'> | null> =>
  findToolIfAny(context, { names: ['cookstyle'], install: 'Cookstyle', versionArguments: ['--version'] })
