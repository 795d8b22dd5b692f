import type { DriverContext } from '../../driver.ts'
import type { KubernetesConfig } from '../config.ts'
import { inClusterAccess } from './in-cluster.ts'
import { kubeconfigAccess } from './kubeconfig.ts'
import type { ClusterAccess } from './cluster-access.ts'

/**
 * The cluster of a stack: `kubeconfig:` of its settings, the variable KUBECONFIG (a path, or the text itself), or the
 * service account of the pod that the worker runs in. CONFIG_INVALID where there is none of them.
 */
export async function clusterAccess(context: DriverContext<KubernetesConfig>): Promise<ClusterAccess> {
  const access = (await inClusterAccess(context)) ?? (await kubeconfigAccess(context))
  const { impersonate } = context.config
  if (!impersonate) return access
  return {
    ...access,
    identity: `${access.identity} as ${JSON.stringify(impersonate)}`,
    headers: async () => ({
      ...(await access.headers()),
      'impersonate-user': impersonate.user,
      ...(impersonate.groups.length > 0 && { 'impersonate-group': impersonate.groups }),
    }),
  }
}
