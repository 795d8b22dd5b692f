import { startCloudFormation } from '../../cloudformation/server.ts'
import { CLUSTER_TOOLS, startCluster } from '../../kube/cluster.ts'
import { type Case, without } from './case.ts'

/** Drivers that work on a service beside the worker. */
export const SERVICE_CASES: readonly Case[] = [
  {
    driver: 'kubernetes',
    missing: CLUSTER_TOOLS.map((tool) => without(tool)).find((why) => why !== null) ?? null,
    async open() {
      const cluster = await startCluster()
      const path = (place: string): string => `/api/v1/namespaces/${place}/configmaps/app`
      return {
        driver: 'kubernetes',
        ports: [Number(new URL(cluster.server).port)],
        settings: { with: { kubeconfig: cluster.kubeconfig } },
        stack: (place) => ({
          'kustomization.yaml': `namespace: ${place}\nresources: [../base, namespace.yaml]\n`,
          'namespace.yaml': `apiVersion: v1\nkind: Namespace\nmetadata: { name: ${place} }\n`,
        }),
        shared: (release) => ({
          'base/kustomization.yaml': 'resources: [app.yaml]\n',
          'base/app.yaml': `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: app }\ndata: { release: ${release} }\n`,
        }),
        reads: async (place) => (await cluster.api('GET', path(place))).body.data?.release ?? null,
        tamper: (place) =>
          cluster.api('PATCH', path(place), { data: { release: 'by hand' } }, 'application/merge-patch+json'),
        close: () => cluster.stop(),
      }
    },
  },
  {
    driver: 'cloudformation',
    missing: null,
    async open() {
      const cloud = await startCloudFormation()
      const { region, objects } = cloud.account
      const live = (place: string) => objects.get(`/${place}`)?.properties
      return {
        driver: 'cloudformation',
        ports: [Number(new URL(cloud.url).port)],
        settings: {
          with: {
            endpoint: cloud.url,
            region,
            pollSeconds: 0.05,
            template: '../app.yaml',
            parameterFiles: ['parameters.json'],
          },
          variables: { AWS_ACCESS_KEY_ID: 'AKIATEST', AWS_SECRET_ACCESS_KEY: 'not-a-real-key' },
        },
        stack: (place) => ({ 'parameters.json': JSON.stringify({ Name: `/${place}` }) }),
        shared: (release) => ({
          'app.yaml': `Parameters: { Name: { Type: String } }
Resources:
  App: { Type: AWS::SSM::Parameter, Properties: { Name: !Ref Name, Type: String, Value: ${release} } }
`,
        }),
        reads: async (place) => (live(place)?.['Value'] as string | undefined) ?? null,
        tamper: async (place) => Object.assign(live(place)!, { Value: 'by hand' }),
        close: () => cloud.close(),
      }
    },
  },
]
