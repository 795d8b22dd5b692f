import { join } from 'node:path'
import { TrueupError } from '../../../lib/errors/error.ts'
import type { DriverContext } from '../../driver.ts'

/** Files that a shell command and the driver exchange, in the run's scratch directory. */
export const planFile = (context: DriverContext<unknown>): string => join(context.scratch, 'plan')
export const outputsFile = (context: DriverContext<unknown>): string => join(context.scratch, 'outputs.json')

/**
 * What a shell command sees, besides the run's own environment. Documented in docs/drivers/command.md.
 * @throws CONFIG_INVALID when two inputs would get the same name.
 */
export function shellEnvironment(context: DriverContext<unknown>): { [name: string]: string } {
  return {
    ...context.env,
    ...inputVariables(context),
    TRUEUP_REPOSITORY: context.stack.repository,
    TRUEUP_ENVIRONMENT: context.stack.environment,
    TRUEUP_STACK: context.stack.name,
    TRUEUP_PLAN_FILE: planFile(context),
    TRUEUP_OUTPUTS_FILE: outputsFile(context),
    TRUEUP_SCRATCH: context.scratch,
    TRUEUP_CACHE: context.cache,
    TRUEUP_DESTROY: String(context.destroy),
    TRUEUP_IGNORE: JSON.stringify(context.ignore),
  }
}

/** `vpc-id` → `TRUEUP_INPUT_VPC_ID`; texts as they are, everything else as JSON. */
function inputVariables({ inputs }: DriverContext<unknown>): { [name: string]: string } {
  const variables: { [name: string]: string } = {}
  for (const [name, { value }] of Object.entries(inputs)) {
    const variable = `TRUEUP_INPUT_${name.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_')}`
    if (variable in variables)
      throw new TrueupError('CONFIG_INVALID', {
        doing: 'giving the inputs to the command',
        why: `two inputs would both be ${variable}`,
        next: 'Rename one of them.',
      })
    variables[variable] = typeof value === 'string' ? value : JSON.stringify(value)
  }
  return variables
}
