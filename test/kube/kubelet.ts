import { setTimeout as sleep } from 'node:timers/promises'
import type { TestCluster } from './cluster.ts'

/** Stands in for a kubelet: pods become what the test says. */
export class Kubelet {
  phase: 'Running' | 'Succeeded' | 'Failed' | 'none' = 'Running'
  #stop = false
  #done: Promise<void> = Promise.resolve()

  start(cluster: TestCluster, namespace: () => string): void {
    this.#done = (async () => {
      while (!this.#stop) {
        if (this.phase !== 'none') await this.#step(cluster, namespace())
        await sleep(50)
      }
    })()
  }

  async #step(cluster: TestCluster, namespace: string): Promise<void> {
    const { body } = await cluster.api('GET', `/api/v1/namespaces/${namespace}/pods`)
    for (const pod of body.items ?? []) {
      const phase =
        pod.metadata.ownerReferences?.[0]?.kind === 'Job' && this.phase === 'Running' ? 'Succeeded' : this.phase
      if (pod.metadata.deletionTimestamp) {
        await cluster.api('DELETE', `/api/v1/namespaces/${namespace}/pods/${pod.metadata.name}`, {
          gracePeriodSeconds: 0,
        })
      }
      if (pod.status.phase === phase || pod.status.phase === 'Succeeded') continue
      const isReady = phase === 'Running' ? 'True' : 'False'
      await cluster.api(
        'PATCH',
        `/api/v1/namespaces/${namespace}/pods/${pod.metadata.name}/status`,
        {
          status: {
            phase,
            conditions: [{ type: 'Ready', status: isReady, lastTransitionTime: '2026-01-01T00:00:00Z' }],
          },
        },
        'application/merge-patch+json',
      )
    }
  }

  async stop(): Promise<void> {
    this.#stop = true
    await this.#done
  }
}
