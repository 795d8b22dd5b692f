import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { DriverContext } from '../../driver.ts'
import type { KubernetesConfig } from '../config.ts'
import type { ClusterAccess } from './cluster-access.ts'

/** https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/ */
const ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount'

/** The pod's own service account, where no kubeconfig is named and there is one. The token is renewed on disk. */
export async function inClusterAccess({ config, env }: DriverContext<KubernetesConfig>): Promise<ClusterAccess | null> {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port = '443' } = { ...process.env, ...env }
  if (config.kubeconfig !== undefined || env.KUBECONFIG || !host) return null
  const read = (name: string): Promise<string | null> =>
    readFile(join(env.TRUEUP_SERVICE_ACCOUNT ?? ACCOUNT, name), 'utf8').catch(() => null)
  const [token, ca, namespace] = [await read('token'), await read('ca.crt'), await read('namespace')]
  if (token === null) return null
  const server = `https://${host.includes(':') ? `[${host}]` : host}:${port}`
  return {
    server,
    tls: { ...(ca !== null && { ca }) },
    ...(namespace && { namespace: namespace.trim() }),
    identity: `${server} in-cluster`,
    headers: async () => ({ authorization: `Bearer ${((await read('token')) ?? token).trim()}` }),
  }
}
