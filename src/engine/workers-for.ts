import type { StackDefinition } from '../domain/stacks/definition.ts'
import { driverNamed } from '../drivers/registry.ts'
import type { NewRun } from '../store/runs/runs.ts'

/** Which workers a run can go to: its pool, and programs of which they must have one. */
export function workersFor({
  pool,
  driver: name,
  driverConfig,
  variables,
}: Pick<StackDefinition, 'pool' | 'driver' | 'driverConfig' | 'variables'>): Pick<NewRun, 'pool' | 'programs'> {
  const driver = driverNamed(name)
  // With a PATH of its own a stack may find what the worker does not.
  if (!driver.programs || Object.hasOwn(variables, 'PATH')) return { pool }
  const config = driver.config.safeParse(driverConfig)
  const programs = config.success ? driver.programs(config.data) : null
  return programs === null ? { pool } : { pool, programs: [...programs] }
}
