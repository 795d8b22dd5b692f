import {
  findMergeRequestByNumber,
  type MergeRequest,
  patchMergeRequest,
} from '../../../src/store/changes/merge-requests.ts'
import { listComments } from '../../../src/store/changes/comments.ts'
import { type EngineHarness, startHarness } from '../../../src/engine/testing/harness.ts'
import type { ForgeWorld, Person, PersonName, Subject } from '../subject.ts'

let harness: EngineHarness | undefined

/** People ask the port here as the server does for them: there is no other way to the built-in forge. */
export const builtinSubject: Subject = {
  name: 'builtin',
  against: 'this server',
  async open() {
    harness = await startHarness({ still: true })
    return worldOf(harness)
  },
  close: async () => await harness?.stop(),
}

function worldOf(its: EngineHarness): ForgeWorld {
  const { git, forge, store, repositoryId } = its
  return {
    harness: its,
    forge,
    as: (name) => personOf(its, name),
    push: (branch, files) => its.push(branch, files),
    removeBranch: (branch) => its.removeBranch(branch),
    tip: (branch) => git.resolve(`refs/heads/${branch}`),
    moment: async () => {},
    look: () => its.settle(),
    async comments({ id }) {
      const all = await listComments(store.db, id)
      return all.map(({ body, authorId }) => ({ body, byTrueup: authorId === null }))
    },
    statuses: async () => [],
    deployments: async () => [],
    async mergeUnheard(mr) {
      const { tree } = await git.commit(mr.headOid)
      const author = { name: 'trueup', email: '', at: its.clock.now() }
      const mergeOid = await git.commitTree({ tree, parents: [mr.targetOid, mr.headOid], message: 'Merge\n', author })
      const begun = { state: 'merging' as const, mergeOid, mergedById: its.users.reviewer.id }
      await store.transaction((tx) => patchMergeRequest(tx, mr.id, begun))
      await git.updateRef(`refs/heads/${mr.targetBranch}`, mergeOid, mr.targetOid)
    },
  }

  function personOf({ users }: EngineHarness, name: PersonName): Person {
    const userId = users[name].id
    const at = async (number: number): Promise<MergeRequest> =>
      (await findMergeRequestByNumber(store.db, repositoryId, number))!
    return {
      async open({ sourceBranch, title, description = '', draft = false }) {
        const change = { repositoryId, sourceBranch, targetBranch: 'main', title, description, draft, authorId: userId }
        return (await forge.changes.open(change)).number
      },
      edit: async (number, edit) => void (await forge.changes.edit((await at(number)).id, userId, edit)),
      close: async (number) => void (await forge.changes.close((await at(number)).id, `user:${userId}`, 'enough')),
      reopen: async (number) => void (await forge.changes.reopen((await at(number)).id, `user:${userId}`)),
      async review(number, verdict, body) {
        const { id, headOid } = await at(number)
        await forge.reviews.give({ mrId: id, userId, verdict, body, headOid, digests: {}, files: {} })
      },
      withdraw: async (number) => await forge.reviews.withdraw((await at(number)).id, userId),
      comment: async (number, body) =>
        void (await forge.comments.add({ mrId: (await at(number)).id, authorId: userId, body })),
    }
  }
}
