import { createMergeRequest, type MergeRequest } from '../../changes/merge-requests.ts'
import type { Queries } from '../../database/context.ts'
import { createUser, type User } from '../../people/users.ts'
import type { Bench } from '../bench.ts'

export const OID = 'a'.repeat(40)

/** What the tests of several tables do with the store that the bench holds at the time. */
export interface Hands {
  db: () => Queries
  write: <T>(work: (tx: Queries) => Promise<T>) => Promise<T>
  user: (name: string) => Promise<User>
  mergeRequest: (number: number, sourceBranch?: string) => Promise<MergeRequest>
}

export function handsOn(bench: () => Bench): Hands {
  const write = <T>(work: (tx: Queries) => Promise<T>): Promise<T> => bench().store.transaction(work)
  return {
    db: () => bench().store.db,
    write,
    user: (name) => write((tx) => createUser(tx, { name, email: `${name}@example.org`, kind: 'member' })),
    mergeRequest: (number, sourceBranch = `branch-${number}`) =>
      write((tx) =>
        createMergeRequest(tx, {
          repositoryId: bench().repository.id,
          number,
          title: 'Widen the subnet',
          description: '',
          sourceBranch,
          targetBranch: 'main',
          headOid: OID,
          targetOid: OID,
          draft: false,
          authorId: 'user_1',
        }),
      ),
  }
}
