import type { DriverContext } from '../driver.ts'
import type { CloudFormationConfig } from './config.ts'

const MAX_NAME = 128

interface NamedStack {
  config: CloudFormationConfig
  stack: Pick<DriverContext<CloudFormationConfig>['stack'], 'environment' | 'name'>
}

/** Name of the stack in AWS: the configured one, else `environment-name` in the characters that a name may have. */
export function stackNameOf({ config, stack }: NamedStack): string {
  if (config.stackName !== undefined) return config.stackName
  const text = `${stack.environment}-${stack.name}`.replaceAll(/[^a-zA-Z0-9]+/g, '-').replaceAll(/^-+|-+$/g, '')
  return (/^[a-zA-Z]/.test(text) ? text : `stack-${text}`).slice(0, MAX_NAME)
}

/** Address of what belongs to the stack itself and to none of its resources. */
export const stackAddress = (name: string): string => `stack:${name}`

export const STACK_TYPE = 'AWS::CloudFormation::Stack'

/** Prefix of all our change sets; what bears it and is old is cleaned up. */
export const CHANGE_SET_PREFIX = 'trueup-'
