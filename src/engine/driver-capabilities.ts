import type { Capabilities } from '../drivers/driver.ts'
import { driverNamed } from '../drivers/registry.ts'
import type { StackDefinition } from '../domain/stacks/definition.ts'

/** What the driver can do for this stack; some drivers say so only once they know the stack's settings. */
export function stackCapabilities(definition: Pick<StackDefinition, 'driver' | 'driverConfig'>): Capabilities {
  const driver = driverNamed(definition.driver)
  const config = driver.config.safeParse(definition.driverConfig)
  return config.success && driver.capabilitiesOf ? driver.capabilitiesOf(config.data) : driver.capabilities
}
