import { DEFAULT_POOL, type StackDefinition } from '../../domain/stacks/definition.ts'
import { resolveEnvironment } from '../../domain/stacks/environment.ts'
import type { Snapshot } from '../snapshot/snapshot.ts'

/**
 * A pool that the target branch does not give this environment: its workers have credentials of their own, and whoever can
 * push a branch can name it.
 */
export function isForeignPool({ environment, key, pool }: StackDefinition, target: Snapshot): boolean {
  if (pool === DEFAULT_POOL || target.stacks.get(key)?.definition.pool === pool) return false
  const { config } = target
  if (!config || !Object.hasOwn(config.environments, environment)) return true
  return resolveEnvironment(environment, config).pool !== pool
}
