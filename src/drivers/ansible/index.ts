import { type Driver, NO_CAPABILITIES } from '../driver.ts'
import { apply } from './apply/apply.ts'
import { AnsibleConfig } from './config.ts'
import { dependencies } from './dependencies.ts'
import { detect } from './detect.ts'
import { executables } from './executables.ts'
import { plan } from './plan/plan.ts'
import { findAnsible } from './tool/tool.ts'
import { validate } from './validate.ts'

/** Ansible: a playbook over SSH. Check mode with diffs is the plan, the same playbook without it the apply. */
export const ansibleDriver: Driver<AnsibleConfig> = {
  name: 'ansible',
  contained: true,
  capabilities: NO_CAPABILITIES,
  capabilitiesOf: ({ idempotent }) => ({ ...NO_CAPABILITIES, idempotentApply: idempotent }),
  config: AnsibleConfig,
  executables,
  programs: () => ['ansible-playbook'],
  detect,
  dependencies,
  versions: async (context) => ({ 'ansible-core': (await findAnsible(context)).version }),
  validate,
  plan,
  apply,
}
