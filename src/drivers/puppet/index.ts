import { type Driver, NO_CAPABILITIES } from '../driver.ts'
import { apply } from './apply/apply.ts'
import { PuppetConfig } from './config.ts'
import { dependencies } from './dependencies.ts'
import { detect } from './detect.ts'
import { executables } from './executables.ts'
import { plan } from './plan/plan.ts'
import { versions } from './tool/tool.ts'
import { validate } from './validate.ts'

/** Puppet without a server: `apply --noop` and its report, then the same catalog is applied; here or over SSH. */
export const puppetDriver: Driver<PuppetConfig> = {
  name: 'puppet',
  capabilities: { ...NO_CAPABILITIES, idempotentApply: true },
  config: PuppetConfig,
  executables,
  programs: ({ hosts }) => [hosts === 'local' ? 'puppet' : 'ssh'],
  detect,
  dependencies,
  versions,
  validate,
  plan,
  apply,
}
