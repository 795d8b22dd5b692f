import type { DriverContext } from '../../driver.ts'
import { findTool, type Tool } from '../../tools/find-tool.ts'

/** ansible-playbook of the run's PATH. TOOL_MISSING, TOOL_VERSION as `findTool` says. */
export const findAnsible = (context: DriverContext<unknown>): Promise<Tool<'ansible-playbook'>> =>
  findTool(context, {
    names: ['ansible-playbook'],
    install: 'ansible-core 2.14 or newer (apt-get install ansible-core, or pip install ansible-core)',
    versionArguments: ['--version'],
  })

/** The sibling program of the same installation: `ansible-galaxy`, `ansible-vault`. */
export const sibling = (tool: Tool, name: string): string => tool.path.replace(/[^/]*$/, name)
