import { z } from 'zod'
import type { Role } from '../../domain/roles.ts'
import type { RemoteApi } from '../remote/api.ts'
import { type GitLabClient, PAGE, personOf, User } from './client.ts'

/** Access levels of GitLab: 30 is Developer, 40 Maintainer. */
export const DEVELOPER = 30
export const MAINTAINER = 40
const GUEST = 10

const GroupMember = z.object({ id: z.number().int(), state: z.string() })
const Member = z.object({ access_level: z.number().int(), state: z.string().optional() })

/** Developers push and review, maintainers merge. Deploying by hand is Trueup's own, and given here. */
const roleAt = (level: number): Role | null =>
  level >= MAINTAINER ? 'maintainer' : level >= DEVELOPER ? 'contributor' : level >= GUEST ? 'reader' : null

export function peopleOf(client: GitLabClient): Pick<RemoteApi, 'me' | 'roleOf' | 'groupMembers'> {
  return {
    me: async () => personOf(await client.ask('/v4/user', User, { doing: 'asking whose token this is' })),
    async groupMembers(name) {
      // With those of the groups above it, who are members of it too.
      const path = `/v4/groups/${encodeURIComponent(name)}/members/all?per_page=${PAGE}`
      const members = await client.pages(path, GroupMember, { doing: `asking who is in gitlab:${name}` })
      return members.filter(({ state }) => state === 'active').map(({ id }) => String(id))
    },
    async roleOf({ id, name }) {
      const path = `${client.at}/members/all/${encodeURIComponent(id)}`
      const found = await client.find(path, Member, { doing: `asking what ${name} may` })
      // A blocked account stays a member.
      return found && (found.state ?? 'active') === 'active' ? roleAt(found.access_level) : null
    },
  }
}
