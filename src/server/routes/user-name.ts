import type { EngineParts } from '../../engine/parts.ts'
import { getUser } from '../../store/people/users.ts'

/** The name of an account; its id where there is none any more. */
export async function nameOf(parts: EngineParts, userId: string): Promise<string> {
  return (await getUser(parts.store.db, userId))?.name ?? userId
}
