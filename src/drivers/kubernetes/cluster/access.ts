import { TrueupError } from '../../../lib/errors/error.ts'
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
  const access = withToken(context, (await inClusterAccess(context)) ?? (await kubeconfigAccess(context)))
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

/** The run itself signs in, and nobody whom the kubeconfig names. */
function withToken(
  { config, env, phase, stack }: DriverContext<KubernetesConfig>,
  access: ClusterAccess,
): ClusterAccess {
  if (config.token === undefined) return access
  const token = env[config.token]
  if (!token)
    throw new TrueupError('TARGET_DENIED', {
      doing: 'signing in to the cluster',
      why: `there is no token ${config.token} in the ${phase} phase of this run`,
      next: `Name it below \`identity:\` of the stack. Live watches, agents on their own and changes that nobody vouches for have none.`,
    })
  const { cert: _cert, key: _key, ...tls } = access.tls
  return {
    ...access,
    tls,
    // Every run has a token of its own; what it may is decided by stack and phase.
    identity: `${access.identity} as ${stack.id} in ${phase}`,
    headers: () => Promise.resolve({ authorization: `Bearer ${token}` }),
  }
}
