import type { EngineParts } from '../../engine/parts.ts'
import { lookUp } from '../../store/database/look-up.ts'

/** What ids are called; people read names. */
export interface Names {
  /** `environment/name`; empty where it is gone. */
  stack(id: string): string
  /** Empty where it is gone. */
  repository(id: string): string
  /** The number of a merge request. */
  mr(id: string | null): number | null
  /** Of an account; its id where there is none any more. */
  user(id: string): string
}

type Ids = Iterable<string | null>

/** Looks up all that a list needs at once: one by one it would be the most of what a page costs. */
export async function namesOf(
  { store: { db } }: Pick<EngineParts, 'store'>,
  ids: { stacks?: Ids; repositories?: Ids; mrs?: Ids; users?: Ids },
): Promise<Names> {
  const stacks = await lookUp(db, 'stacks', ids.stacks ?? [], ['environment', 'name'])
  const repositories = await lookUp(db, 'repositories', ids.repositories ?? [], ['name'])
  const mrs = await lookUp(db, 'mergeRequests', ids.mrs ?? [], ['number'])
  const users = await lookUp(db, 'users', ids.users ?? [], ['name'])
  return {
    stack(id) {
      const stack = stacks.get(id)
      return stack ? `${stack.environment}/${stack.name}` : ''
    },
    repository: (id) => repositories.get(id)?.name ?? '',
    mr: (id) => (id === null ? null : (mrs.get(id)?.number ?? null)),
    user: (id) => users.get(id)?.name ?? id,
  }
}
