import type { Store } from '../store/open.ts'
import { createUser, findUserByName, type User } from '../store/people/users.ts'

/** The account in whose name Trueup opens merge requests. It has no password and no token, so nobody can be it. */
export const SYSTEM_USER = 'trueup'

export async function systemUser(store: Store): Promise<User> {
  return await store.transaction(async (tx) => {
    const known = await findUserByName(tx, SYSTEM_USER)
    return known ?? (await createUser(tx, { name: SYSTEM_USER, email: 'trueup@trueup.invalid', kind: 'member' }))
  })
}
