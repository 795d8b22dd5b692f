import { z } from 'zod'
import type { Role } from '../../domain/roles.ts'
import type { RemoteApi } from '../remote/api.ts'
import { type GitHubClient, PAGE, personOf, User } from './client.ts'

const Permission = z.object({ permission: z.string(), user: User.nullable() })
/** Write is what lets merge there. Deploying by hand is Trueup's own, and given here. */
const ROLES: { readonly [permission: string]: Role } = { read: 'reader', write: 'maintainer', admin: 'maintainer' }

export function peopleOf(client: GitHubClient): Pick<RemoteApi, 'me' | 'roleOf' | 'groupMembers'> {
  return {
    async me() {
      const doing = 'asking whose token this is'
      const path = client.app ? `/users/${encodeURIComponent(await client.app.bot())}` : '/user'
      return personOf(await client.ask(client.prefix + path, User, { doing }))
    },
    async groupMembers(name) {
      const [org = '', team = ''] = name.split('/').map(encodeURIComponent)
      const path = `${client.prefix}/orgs/${org}/teams/${team}/members?per_page=${PAGE}`
      const members = await client.pages(path, User, { doing: `asking who is in github:${name}` })
      return members.map(({ id }) => String(id))
    },
    async roleOf({ id, name }) {
      const doing = `asking what ${name} may`
      const who = `${await client.at()}/collaborators/${encodeURIComponent(name)}`
      const found = await client.find(`${who}/permission`, Permission, { doing })
      // The name may be somebody else's by now.
      if (String(found?.user?.id) !== id) return null
      const role = ROLES[found?.permission ?? ''] ?? null
      if (role !== 'reader' || (await client.repository()).private) return role
      // Everybody reads what is public: that is no part in it.
      return (await client.exists(who, { doing })) ? role : null
    },
  }
}
