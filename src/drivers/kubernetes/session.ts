import type { DriverContext } from '../driver.ts'
import { clusterAccess } from './cluster/access.ts'
import { type Client, clientFor } from './cluster/client.ts'
import { type Discovery, discoveryOf } from './cluster/discovery.ts'
import type { KubernetesConfig } from './config.ts'

/** One run's way to its cluster. */
export interface Session {
  client: Client
  discovery: Discovery
  /** Namespace of objects that name none. */
  namespace: string
  /** `repository/environment/name`: who the owner of an object is. */
  owner: string
}

export async function openSession(context: DriverContext<KubernetesConfig>): Promise<Session> {
  const access = await clusterAccess(context)
  const client = clientFor(access)
  const { repository, environment, name } = context.stack
  return {
    client,
    discovery: discoveryOf(client),
    namespace: context.config.namespace ?? access.namespace ?? 'default',
    owner: `${repository}/${environment}/${name}`,
  }
}
