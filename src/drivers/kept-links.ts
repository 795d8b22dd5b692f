import type { StackDefinition } from '../domain/stacks/definition.ts'
import { configuredDriver } from './registry.ts'

/**
 * Whether a workspace of the stack carries symlinks that lead out of the repository. Settings that cannot be read take
 * none: whoever runs the driver says what is wrong with them.
 */
export function linksOf(definition: StackDefinition): { keepLinks?: boolean } {
  try {
    const { driver, config } = configuredDriver(definition)
    return driver.keepsLinks?.(config) ? { keepLinks: true } : {}
  } catch {
    return {}
  }
}
