import { z } from 'zod'
import type { Role } from '../../domain/roles.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import type { RemoteApi } from '../remote/api.ts'
import { type GiteaClient, personOf, User } from './client.ts'

/** The most that a page may have, unless the server's own setting is lower. */
const PAGE = 50
const Team = z.object({ id: z.number().int(), name: z.string() })
const Permission = z.object({ permission: z.string(), user: User.nullish() })
/** Write is what lets merge there. Deploying by hand is Trueup's own, and given here. */
const ROLES: { readonly [permission: string]: Role } = {
  read: 'reader',
  write: 'maintainer',
  admin: 'maintainer',
  owner: 'maintainer',
}

export function peopleOf(client: GiteaClient): Pick<RemoteApi, 'me' | 'roleOf' | 'groupMembers'> {
  return {
    me: async () => personOf(await client.ask('/user', User, { doing: 'asking whose token this is' })),
    async groupMembers(name) {
      const doing = `asking who is in gitea:${name}`
      const [org = '', wanted = ''] = name.split('/')
      const teams = await client.pages(`/orgs/${encodeURIComponent(org)}/teams?limit=${PAGE}`, Team, { doing })
      const team = teams.find((its) => its.name.toLowerCase() === wanted.toLowerCase())
      if (!team) throw new TrueupError('FORGE_GONE', { doing, why: `${org} has no team ${wanted}` })
      const members = await client.pages(`/teams/${team.id}/members?limit=${PAGE}`, User, { doing })
      return members.map(({ id }) => String(id))
    },
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
