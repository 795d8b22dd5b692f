import { type Driver, NO_CAPABILITIES } from '../driver.ts'
import { apply } from './apply/apply.ts'
import { ChefConfig } from './config.ts'
import { dependencies } from './dependencies.ts'
import { detect } from './detect.ts'
import { executables } from './executables.ts'
import { plan } from './plan/plan.ts'
import { clientNames, versions } from './tool/tool.ts'
import { validate } from './validate.ts'

/** Chef and Cinc without a server: `--local-mode --why-run` with a witness of its events, then a run; here or over SSH. */
export const chefDriver: Driver<ChefConfig> = {
  name: 'chef',
  capabilities: NO_CAPABILITIES,
  config: ChefConfig,
  executables,
  programs: (config) => (config.hosts === 'local' ? clientNames(config) : ['ssh']),
  detect,
  dependencies,
  versions,
  validate,
  plan,
  apply,
}
