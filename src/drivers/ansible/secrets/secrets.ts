import { TrueupError } from '../../../lib/errors/error.ts'
import type { DriverContext } from '../../driver.ts'
import type { AnsibleConfig } from '../config.ts'

/** The value of a variable that the stack's settings name. CONFIG_INVALID where the run has none of that name. */
export function variableNamed(context: DriverContext<unknown>, name: string): string {
  const value = context.env[name]
  if (value !== undefined && value !== '') {
    for (const secret of [value, ...value.split('\n')]) if (secret.length >= 8) context.mask(secret)
    return value
  }
  throw new TrueupError('CONFIG_INVALID', {
    doing: `reading the variable ${name} for stack "${context.stack.name}"`,
    why: `there is no variable ${name} in environment "${context.stack.environment}" for this phase (${context.phase})`,
    next: `Set it: trueup variable set ${name} --environment ${context.stack.environment}`,
  })
}

/** Variables that hold credentials; tools get them as files, and not in their environment. */
export function credentialVariables({ vaultPassword, privateKey, becomePassword }: AnsibleConfig): string[] {
  const vault = typeof vaultPassword === 'object' ? Object.values(vaultPassword) : [vaultPassword]
  return [...vault, privateKey, becomePassword].filter((name) => name !== undefined)
}
