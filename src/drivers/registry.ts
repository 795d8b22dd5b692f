import type { LineOf } from '../domain/config/document.ts'
import { configError } from '../domain/config/problems.ts'
import { shapeProblems } from '../domain/config/shape.ts'
import type { StackDefinition } from '../domain/stacks/definition.ts'
import { didYouMean } from '../domain/suggest.ts'
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

/** The driver of a name. Throws CONFIG_INVALID, with the names there are; `line` is where the name stands. */
export function driverNamed(name: string, line?: number): Driver {
  const driver = DRIVERS.get(name)
  if (driver) return driver
  const why = `there is none of that name${didYouMean(name, DRIVERS.keys())}; there are ${[...DRIVERS.keys()].join(', ')}`
  throw configError('CONFIG_INVALID', `looking up the driver "${name}"`, [{ line, path: '', message: why }])
}

/**
 * The driver of a stack, and what its schema makes of the stack's `with:`. Throws CONFIG_INVALID with all problems; `lineOf`
 * puts the lines of keys of the stack's entry into them.
 */
export function configuredDriver(
  definition: StackDefinition,
  lineOf: LineOf = () => undefined,
): { driver: Driver; config: unknown } {
  const driver = driverNamed(definition.driver, lineOf(['driver']))
  const parsed = driver.config.safeParse(definition.driverConfig)
  if (parsed.success) return { driver, config: parsed.data }
  const { issues } = parsed.error
  const problems = shapeProblems(driver.config, definition.driverConfig, issues, (path) => lineOf(['with', ...path]))
  throw configError(
    'CONFIG_INVALID',
    `reading the settings of stack ${definition.key}`,
    problems.map((problem) => ({ ...problem, path: problem.path === '' ? 'with' : `with.${problem.path}` })),
    `Correct the \`with:\` block; docs/drivers/${definition.driver}.md lists the settings, and so does \`trueup explain ${definition.driver}\`.`,
  )
}
