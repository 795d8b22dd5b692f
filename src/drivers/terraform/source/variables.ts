import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { DriverContext } from '../../driver.ts'
import type { TerraformConfig } from '../config.ts'
import { insideWorkspace } from '../../paths/inside.ts'

/**
 * Arguments that give the root module its variables: the stack's files in order, then one file of our own with
 * `variables` and, above them, the inputs from other stacks. A file and not the environment, because only there a list,
 * a number and a string with `${` mean what they say.
 */
export async function variableArguments(context: DriverContext<TerraformConfig>): Promise<string[]> {
  const files = await Promise.all(context.config.varFiles.map((file) => insideWorkspace(context, file)))
  const inputs = Object.entries(context.inputs).map(([name, input]) => [name, input.value])
  const values = { ...context.config.variables, ...Object.fromEntries(inputs) }
  if (Object.keys(values).length > 0) {
    const own = join(context.scratch, 'trueup.tfvars.json')
    await writeFile(own, JSON.stringify(values), { mode: 0o600 })
    files.push(own)
  }
  return files.map((file) => `-var-file=${file}`)
}
