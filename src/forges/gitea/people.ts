import { z } from 'zod'
import type { Role } from '../../domain/roles.ts'
import type { RemoteApi } from '../remote/api.ts'
import { type GiteaClient, personOf, User } from './client.ts'

const Permission = z.object({ permission: z.string() })
/** Write is what lets merge there. Deploying by hand is Trueup's own, and given here. */
const ROLES: { readonly [permission: string]: Role } = {
  read: 'reader',
  write: 'maintainer',
  admin: 'maintainer',
  owner: 'maintainer',
}

export function peopleOf(client: GiteaClient): Pick<RemoteApi, 'me' | 'roleOf'> {
  return {
    me: async () => personOf(await client.ask('/user', User, { doing: 'asking whose token this is' })),
    async roleOf({ name }) {
      const path = `${await client.at()}/collaborators/${encodeURIComponent(name)}/permission`
      const found = await client.find(path, Permission, { doing: `asking what ${name} may` })
      return ROLES[found?.permission ?? ''] ?? null
    },
  }
}
