import type { DriverContext } from '../driver.ts'
import type { Tool } from '../tools/find-tool.ts'
import type { AnsibleConfig } from './config.ts'

export async function installRequirements(
  _context: DriverContext<AnsibleConfig>,
  _tool: Tool,
  _env: { [name: string]: string },
): Promise<{ [name: string]: string }> {
  return {}
}
