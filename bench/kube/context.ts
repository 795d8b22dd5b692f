import { mkdirSync } from 'node:fs'
import type { RunKind } from '../../src/domain/runs/run.ts'
import type { DriverContext } from '../../src/drivers/driver.ts'
import { KubernetesConfig } from '../../src/drivers/kubernetes/config.ts'
import { bareContext } from '../../src/drivers/testing/bare-context.ts'

/** A run of one stack whose manifests lie in `ROOT/workspace/stack`. */
export function benchContext(root: string, namespace: string, kind: RunKind): DriverContext<KubernetesConfig> {
  const config = KubernetesConfig.parse({ namespace, wait: false, concurrency: 16 })
  const context = bareContext(root, config, {
    stack: { id: 'stk_bench', repository: 'bench', environment: 'production', name: namespace, path: 'stack' },
    phase: kind === 'drift' ? 'plan' : 'apply',
    kind,
    env: { KUBECONFIG: process.env.KUBECONFIG ?? '', PATH: process.env.PATH ?? '' },
  })
  for (const directory of [context.scratch, context.cache]) mkdirSync(directory, { recursive: true })
  return context
}
