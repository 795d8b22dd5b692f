import type { StackDefinition } from '../domain/stacks/definition.ts'
import { didYouMean } from '../domain/suggest.ts'
import { TrueupError } from '../lib/errors/error.ts'
import type { Driver } from './driver.ts'
import { ansibleDriver } from './ansible/index.ts'
import { chefDriver } from './chef/index.ts'
import { cloudformationDriver } from './cloudformation/index.ts'
import { commandDriver } from './command/index.ts'
import { filesDriver } from './files/index.ts'
import { kubernetesDriver } from './kubernetes/index.ts'
import { puppetDriver } from './puppet/index.ts'
import { terraformDriver } from './terraform/index.ts'

/**
 * Every driver by its name in `trueup.yaml`. Add one here, and a page in docs/drivers. A driver only ever gets what its own
 * `config` schema has parsed, so outside its folder the type of its configuration is nobody's business.
 */
export const DRIVERS: ReadonlyMap<string, Driver> = new Map<string, Driver>([
  ['ansible', ansibleDriver as unknown as Driver],
  ['chef', chefDriver as unknown as Driver],
  ['cloudformation', cloudformationDriver as unknown as Driver],
  ['command', commandDriver as unknown as Driver],
  ['files', filesDriver as unknown as Driver],
  ['kubernetes', kubernetesDriver as unknown as Driver],
  ['puppet', puppetDriver as unknown as Driver],
  ['terraform', terraformDriver as unknown as Driver],
])

/** The driver of a name. Throws CONFIG_INVALID, with the names there are. */
export function driverNamed(name: string): Driver {
  const driver = DRIVERS.get(name)
  if (driver) return driver
  throw new TrueupError('CONFIG_INVALID', {
    doing: `looking up the driver "${name}"`,
    why: `there is none of that name${didYouMean(name, DRIVERS.keys())}; there are ${[...DRIVERS.keys()].join(', ')}`,
  })
}

/** The driver of a stack, and what its schema makes of the stack's `with:`. Throws CONFIG_INVALID. */
export function configuredDriver(definition: StackDefinition): { driver: Driver; config: unknown } {
  const driver = driverNamed(definition.driver)
  const parsed = driver.config.safeParse(definition.driverConfig)
  if (parsed.success) return { driver, config: parsed.data }
  const issue = parsed.error.issues[0]
  throw new TrueupError('CONFIG_INVALID', {
    doing: `reading the settings of stack ${definition.key}`,
    why: `${['with', ...(issue?.path ?? [])].join('.')}: ${issue?.message ?? 'not valid'}`,
    next: `Correct the \`with:\` block; docs/drivers/${definition.driver}.md lists the settings.`,
  })
}
