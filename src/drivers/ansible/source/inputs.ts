import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Json } from '../../../lib/json.ts'
import type { DriverContext } from '../../driver.ts'
import type { AnsibleConfig } from '../config.ts'

/** Where inventory scripts find the inputs as JSON (`TRUEUP_INPUTS_FILE`). */
const inputsFile = (context: DriverContext<unknown>): string => join(context.scratch, 'inputs.json')

/**
 * The file of extra variables: settings of the stack, above them its inputs by name, `trueup` with what the run is about,
 * and `forced`, which nothing may override.
 */
export async function writeVariables(
  context: DriverContext<AnsibleConfig>,
  forced: { [name: string]: Json },
): Promise<string> {
  const inputs = inputValues(context)
  const { environment, name, repository } = context.stack
  const file = join(context.scratch, 'variables.json')
  const all = { ...context.config.extraVars, ...inputs, trueup: { inputs, environment, stack: name, repository } }
  await writeFile(file, JSON.stringify({ ...all, ...forced }), { mode: 0o600 })
  await writeFile(inputsFile(context), JSON.stringify(inputs), { mode: 0o600 })
  return file
}

/** The inputs for inventory scripts and lookups: `TRUEUP_INPUT_VPC_ID` each, and all of them in `TRUEUP_INPUTS_FILE`. */
export function inputEnvironment(context: DriverContext<unknown>): { [name: string]: string } {
  const variables: { [name: string]: string } = { TRUEUP_INPUTS_FILE: inputsFile(context) }
  for (const [name, value] of Object.entries(inputValues(context))) {
    const variable = `TRUEUP_INPUT_${name.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_')}`
    variables[variable] = typeof value === 'string' ? value : JSON.stringify(value)
  }
  return variables
}

const inputValues = ({ inputs }: DriverContext<unknown>): { [name: string]: Json } =>
  Object.fromEntries(Object.entries(inputs).map(([name, { value }]) => [name, value]))
