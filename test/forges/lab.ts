import { expect } from 'vitest'
import type { Files } from '../../src/engine/testing/harness.ts'
import type { MergeMethod } from '../../src/forges/capabilities.ts'
import type { MergeHow } from '../../src/forges/forge.ts'
import {
  findMergeRequestByNumber,
  getMergeRequest,
  listMergeRequests,
  type MergeRequest,
} from '../../src/store/changes/merge-requests.ts'
import { listReviews, type Review } from '../../src/store/changes/reviews.ts'
import type { PropertyName } from './properties.ts'
import type { ForgeWorld } from './subject.ts'

/** A property on trial. `cannot`: the sentence by which the forge says that it cannot. */
export type Body = (cannot: string | null) => Promise<void>
export type Bodies<Names extends PropertyName> = { [name in Names]: Body }

/** What the bodies share: one world for all of them, in which each has branches of its own. */
export interface Lab {
  readonly world: ForgeWorld
  /** The engine's copy, by the forge's number. */
  seen(number: number): Promise<MergeRequest>
  again(mr: MergeRequest): Promise<MergeRequest>
  /** Pushes a branch that changes a file, and has its author open it. */
  propose(branch: string, more?: { files?: Files; draft?: boolean }): Promise<MergeRequest>
  reviews(mr: MergeRequest): Promise<Review[]>
  how(mr: MergeRequest, method?: MergeMethod): MergeHow
  /** Merges by the port, and gives what the engine then knows. */
  merge(mr: MergeRequest, method?: MergeMethod): Promise<MergeRequest>
  /** Closes what is still open: each merge looks at all that are. */
  clear(): Promise<void>
}

export function labOf(world: () => ForgeWorld): Lab {
  const db = () => world().harness.store.db
  const lab: Lab = {
    get world() {
      return world()
    },
    async seen(number) {
      await world().look()
      const mr = await findMergeRequestByNumber(db(), world().harness.repositoryId, number)
      expect(mr, `merge request ${number}`).toBeDefined()
      return mr!
    },
    async again(mr) {
      await world().look()
      return (await getMergeRequest(db(), mr.id))!
    },
    async propose(branch, { files = { [`of-${branch}`]: 'new\n' }, draft = false } = {}) {
      await world().push(branch, files)
      return await lab.seen(
        await world()
          .as('author')
          .open({ sourceBranch: branch, title: `Change ${branch}`, draft }),
      )
    },
    reviews: async (mr) => await listReviews(db(), (await lab.again(mr)).id),
    how: (mr, method = 'merge') => ({
      mrId: mr.id,
      headOid: mr.headOid,
      targetOid: mr.targetOid,
      method,
      actorId: world().harness.users.reviewer.id,
      bypassReason: null,
      stillAsJudged: async () => true,
    }),
    async merge(mr, method) {
      await world().forge.merging.merge(lab.how(await lab.again(mr), method))
      return await lab.again(mr)
    },
    async clear() {
      const { repositoryId } = world().harness
      const { items } = await listMergeRequests(db(), { repositoryId, states: ['open'] })
      for (const { id } of items) await world().forge.changes.close(id, 'system', 'the property is through')
      await world().look()
    },
  }
  return lab
}
