import type { DriverContext } from '../../driver.ts'
import type { KubernetesConfig } from '../config.ts'
import { inClusterAccess } from './in-cluster.ts'
import { kubeconfigAccess } from './kubeconfig.ts'

/** A list is sent as one header each. */
export interface Headers {
  [name: string]: string | string[]
}

/** How a cluster is reached and as whom. */
export interface ClusterAccess {
  /** `https://host:port`, with a path where the API lies below one. */
  server: string
  tls: { ca?: string; cert?: string; key?: string; servername?: string; rejectUnauthorized?: boolean }
  /** Headers that say who we are; asked before each request, since tokens run out. */
  headers(): Promise<Headers>
  /** Namespace of the context, where it names one. */
  namespace?: string
  /** Equal for equal clusters and identities: connections and what is known of the API are shared by it. */
  identity: string
}

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
