import { type Driver, NO_CAPABILITIES } from '../driver.ts'
import { apply } from './apply/apply.ts'
import { CloudFormationConfig } from './config.ts'
import { dependencies } from './dependencies.ts'
import { detect } from './detect.ts'
import { place } from './place.ts'
import { plan } from './plan/plan.ts'
import { validate } from './validate.ts'
import { versions } from './versions.ts'

/** AWS CloudFormation and SAM: a change set is the plan, and exactly that change set is executed. */
export const cloudformationDriver: Driver<CloudFormationConfig> = {
  name: 'cloudformation',
  capabilities: { ...NO_CAPABILITIES, destroy: true, idempotentApply: true },
  config: CloudFormationConfig,
  detect,
  dependencies,
  place,
  versions,
  validate,
  plan,
  apply,
}
