import { z } from 'zod'
import type { Role } from '../../domain/roles.ts'
import type { RemoteApi } from '../remote/api.ts'
import { type GiteaClient, personOf, User } from './client.ts'

const Permission = z.object({ permission: z.string(), user: User.nullish() })
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
    async roleOf({ id, name }) {
      const doing = `asking what ${name} may`
      const who = `${await client.at()}/collaborators/${encodeURIComponent(name)}`
      const found = await client.find(`${who}/permission`, Permission, { doing })
      // The name may be somebody else's by now.
      if (found?.user && String(found.user.id) !== id) return null
      const role = ROLES[found?.permission ?? ''] ?? null
      if (role !== 'reader' || (await client.repository()).private) return role
      // Everybody reads what is public: that is no part in it.
      return (await client.exists(who, { doing })) ? role : null
    },
  }
}
