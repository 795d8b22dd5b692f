import { type Driver, NO_CAPABILITIES } from '../driver.ts'
import { apply } from './apply/apply.ts'
import { TerraformConfig } from './config.ts'
import { dependencies, dependencyChanges } from './dependencies.ts'
import { detect } from './detect.ts'
import { executables } from './executables.ts'
import { place } from './place.ts'
import { plan } from './plan/plan.ts'
import { undo } from './undo/undo.ts'
import { validate } from './validate.ts'
import { versions } from './tool/versions.ts'

/** Terraform and OpenTofu: `plan -out` and `show -json`, then exactly that plan file is applied. */
export const terraformDriver: Driver<TerraformConfig> = {
  name: 'terraform',
  contained: true,
  keepsState: true,
  capabilities: { ...NO_CAPABILITIES, destroy: true, planValidates: true },
  requests: ['targets', 'replaces', 'state'],
  config: TerraformConfig,
  executables,
  detect,
  dependencies,
  place,
  dependencyChanges,
  programs: ({ tool }) => (tool === 'auto' ? ['terraform', 'tofu'] : [tool]),
  versions,
  validate,
  plan,
  apply,
  undo,
}
