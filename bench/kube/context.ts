import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { RunKind } from '../../src/domain/runs/run.ts'
import type { DriverContext } from '../../src/drivers/driver.ts'
import { KubernetesConfig } from '../../src/drivers/kubernetes/config.ts'
import { keyedHash } from '../../src/lib/digest.ts'
import { runProcess } from '../../src/lib/process/run.ts'

/** A run of one stack whose manifests lie in `ROOT/workspace/stack`. */
export function benchContext(root: string, namespace: string, kind: RunKind): DriverContext<KubernetesConfig> {
  const workspace = join(root, 'workspace')
  const scratch = join(root, 'scratch')
  const cache = join(root, 'cache')
  for (const directory of [scratch, cache]) mkdirSync(directory, { recursive: true })
  return {
    stack: { id: 'stk_bench', repository: 'bench', environment: 'production', name: namespace, path: 'stack' },
    config: KubernetesConfig.parse({ namespace, wait: false, concurrency: 16 }),
    destroy: false,
    phase: kind === 'drift' ? 'plan' : 'apply',
    kind,
    workspace,
    directory: join(workspace, 'stack'),
    scratch,
    cache,
    env: { KUBECONFIG: process.env.KUBECONFIG ?? '', PATH: process.env.PATH ?? '' },
    inputs: {},
    ignore: [],
    signal: new AbortController().signal,
    hash: (value) => keyedHash('bench', value),
    mask: () => {},
    log: () => {},
    seal: (plain) => plain,
    open: (sealed) => sealed,
    run: runProcess,
  }
}
