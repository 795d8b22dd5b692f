import { type Driver, NO_CAPABILITIES } from '../driver.ts'
import { apply } from './apply/apply.ts'
import { KubernetesConfig } from './config.ts'
import { dependencies, dependencyChanges } from './dependencies.ts'
import { detect } from './detect.ts'
import { executables } from './executables.ts'
import { health } from './health/health.ts'
import { plan } from './plan/plan.ts'
import { versions } from './source/render.ts'
import { validate } from './validate.ts'
import { watch } from './watch/watch.ts'

/** Kubernetes: plain YAML, Kustomize and Helm, applied by server-side apply. */
export const kubernetesDriver: Driver<KubernetesConfig> = {
  name: 'kubernetes',
  capabilities: { ...NO_CAPABILITIES, destroy: true, watch: true, idempotentApply: true },
  config: KubernetesConfig,
  executables,
  programs: ({ render, helm }) =>
    render === 'helm' || (render === 'auto' && helm)
      ? ['helm']
      : render === 'kustomize'
        ? ['kustomize', 'kubectl']
        : null,
  detect,
  dependencies,
  dependencyChanges,
  versions,
  validate,
  plan,
  apply,
  health,
  watch,
}
