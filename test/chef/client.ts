import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findTool, toolAt } from '../tools.ts'

const DOUBLE = dirname(fileURLToPath(import.meta.url))

export interface ChefClient {
  /** Directory to put first on PATH. */
  directory: string
  /** What it is, for the conformance table. */
  against: string
  real: boolean
}

/**
 * A real client: the program that TRUEUP_TEST_CHEF names, or a chef-client or cinc-client on PATH; else the double of this
 * directory. Null without Ruby. Test hosts see this machine's file system but for /tmp and root's home.
 */
export function chefClient(): ChefClient | null {
  const named = process.env.TRUEUP_TEST_CHEF
  if (named !== undefined) {
    const tool = toolAt(named)
    if (tool === null) throw new Error(`TRUEUP_TEST_CHEF: ${named} does not tell its version when asked by --version`)
    return { directory: dirname(named), against: `${basename(named)} ${tool.version}`, real: true }
  }
  for (const name of ['chef-client', 'cinc-client']) {
    const tool = findTool(name)
    if (tool !== null) return { directory: dirname(tool.path), against: `${name} ${tool.version}`, real: true }
  }
  if (findTool('ruby') === null) return null
  return { directory: DOUBLE, against: 'a double of Chef Infra Client 16.18', real: false }
}

export const CHEF_MISSING = 'neither chef-client nor cinc-client is here, and no Ruby for the double: "npm run tools"'
export const recorded = (name: string): string => join(DOUBLE, 'recorded', `${name}.txt`)
export const doubleProgram = join(DOUBLE, 'chef-client')
