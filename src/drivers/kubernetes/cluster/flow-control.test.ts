import { coerce, gte } from 'semver'
import { expect, it } from 'vitest'
import { describeOnCluster } from '../../../../test/kube/describe-on-cluster.ts'
import { findTool } from '../../../../test/tools.ts'

/** Since 1.27 a level may have no share at all: it then serves one request at a time, and answers 429 to all others. */
const canBeNarrow = gte(coerce(findTool('kube-apiserver')?.version) ?? '0.0.0', '1.27.0')

const NARROW = {
  apiVersion: 'flowcontrol.apiserver.k8s.io/v1',
  kind: 'PriorityLevelConfiguration',
  metadata: { name: 'narrow' },
  spec: {
    type: 'Limited',
    limited: {
      nominalConcurrencyShares: 0,
      lendablePercent: 0,
      borrowingLimitPercent: 0,
      limitResponse: { type: 'Reject' },
    },
  },
}
const VIEWERS = {
  apiVersion: 'flowcontrol.apiserver.k8s.io/v1',
  kind: 'FlowSchema',
  metadata: { name: 'viewers' },
  spec: {
    priorityLevelConfiguration: { name: 'narrow' },
    matchingPrecedence: 2,
    rules: [
      {
        subjects: [{ kind: 'User', user: { name: 'viewer' } }],
        resourceRules: [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'], namespaces: ['*'], clusterScope: true }],
        nonResourceRules: [{ nonResourceURLs: ['*'], verbs: ['*'] }],
      },
    ],
  },
}

describeOnCluster('a server with too much to do', (world) => {
  it.runIf(canBeNarrow)('is asked again when it says, and then has answered everything', async () => {
    const config = (at: number): string =>
      `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c${at}}\ndata: {a: b}\n---\n`
    // Three of each kind, so that each object is read by itself.
    const secret = (at: number): string => `apiVersion: v1\nkind: Secret\nmetadata: {name: s${at}}\n---\n`
    const account = (at: number): string => `apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: a${at}}\n---\n`
    const all = [config, secret, account].flatMap((make) => [1, 2, 3].map(make)).join('')
    await world.open({ 'stack/all.yaml': all })
    await world.stack.deploy()
    world.cluster.kubectl(['create', '-f', '-'], JSON.stringify(NARROW))
    world.cluster.kubectl(['create', '-f', '-'], JSON.stringify(VIEWERS))
    const refused = async (): Promise<boolean> => {
      const { body } = await world.cluster.api('GET', '/metrics')
      return /rejected_requests_total\{[^}]*flow_schema="viewers"[^}]*\} [1-9]/.test(body as string)
    }
    // The server learns of its levels from a watch; which requests meet is chance.
    const asViewer = { ...world.stack.context.config, context: 'viewer' }
    await expect
      .poll(
        async () => {
          const planned = await world.stack.plan({ config: asViewer })
          expect(planned.changes).toEqual([])
          expect(planned.coverage).toEqual({ checked: 9, unchecked: [] })
          return refused()
        },
        { timeout: 300_000 },
      )
      .toBe(true)
  })
})
