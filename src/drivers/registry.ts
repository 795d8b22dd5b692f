import { didYouMean } from '../domain/suggest.ts'
import { TrueupError } from '../lib/errors/error.ts'
import { commandDriver } from './command/index.ts'
import type { Driver } from './driver.ts'
import { filesDriver } from './files/index.ts'
import { terraformDriver } from './terraform/index.ts'

/**
 * Every driver by its name in `trueup.yaml`. Add one here, and a page in docs/drivers. A driver only ever gets what its own
 * `config` schema has parsed, so outside its folder the type of its configuration is nobody's business.
 */
export const DRIVERS: ReadonlyMap<string, Driver> = new Map<string, Driver>([
  ['command', commandDriver as unknown as Driver],
  ['files', filesDriver as unknown as Driver],
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
