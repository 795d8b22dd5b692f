import { nowOf, type Queries } from '../database/context.ts'
import { getMeta, setMeta } from '../database/meta.ts'
import { connectionOf } from './connections.ts'
import { forgeIdsOf } from './people.ts'

/** A group or team of a forge that an environment names, as it was read last. */
export interface ForgeGroup {
  /** Ids that the forge gives once. */
  members: readonly string[]
  /** When it was read. */
  at: number
  /** Why it cannot be read; null where it was. */
  why: string | null
}

/** `gitlab:group/sub` → what is known of it. */
export type ForgeGroups = { readonly [name: string]: ForgeGroup }

/** Who was in a group so long ago is taken for nobody of it: the forge has not been reached since. */
const LONGEST_MS = 60 * 60_000

const key = (repositoryId: string): string => `forge.groups:${repositoryId}`

export async function forgeGroups(db: Queries, repositoryId: string): Promise<ForgeGroups> {
  const text = await getMeta(db, key(repositoryId))
  return text === null ? {} : (JSON.parse(text) as ForgeGroups)
}

export const putForgeGroups = async (tx: Queries, repositoryId: string, groups: ForgeGroups): Promise<void> =>
  await setMeta(tx, key(repositoryId), JSON.stringify({ ...(await forgeGroups(tx, repositoryId)), ...groups }))

/** Groups of the forge that an account is in, of those that environments of this repository name. */
export async function forgeGroupsOf(db: Queries, repositoryId: string, userId: string): Promise<string[]> {
  const groups = Object.entries(await forgeGroups(db, repositoryId))
  const connection = groups.length === 0 ? undefined : await connectionOf(db, repositoryId)
  if (!connection) return []
  const ids = await forgeIdsOf(db, connection.address, userId)
  const since = nowOf(db) - LONGEST_MS
  return groups.flatMap(([name, { members, at }]) =>
    at >= since && ids.some((id) => members.includes(id)) ? [name] : [],
  )
}
