import { setTimeout as sleep } from 'node:timers/promises'
import { expect, vi } from 'vitest'
import { connectRepository } from '../../../src/engine/connections/connect.ts'
import { lookAtForge } from '../../../src/engine/connections/looks.ts'
import { startHarness } from '../../../src/engine/testing/harness.ts'
import type { MergeMethod } from '../../../src/forges/capabilities.ts'
import type { ForgeName } from '../../../src/forges/forge.ts'
import { NO_OID } from '../../../src/git/repository.ts'
import { patchMergeRequest } from '../../../src/store/changes/merge-requests.ts'
import { connectionOf } from '../../../src/store/forges/connections.ts'
import { createForgePerson } from '../../../src/store/forges/people.ts'
import { setMember } from '../../../src/store/people/members.ts'
import type { Account, Place } from '../place.ts'
import type { ForgeWorld, Person, PersonName, Subject } from '../subject.ts'

/** A connected forge under test, with what people do there beside Trueup. */
export interface ConnectedWorld extends ForgeWorld {
  /** Merged by a person on the forge. */
  mergeThere(person: PersonName, number: number, method?: MergeMethod): Promise<void>
  /** As long as people take to read: a real forge counts whole seconds, and what is said in the same one is said of what stood there before. */
  aMoment(): Promise<void>
  /** Who opened a merge request there, by the forge's id, and its description. */
  opened: There['opened']
  /** The forge's id of Trueup's account there. */
  botId: string
  stop(): Promise<void>
}

/** A forge that is not this server's own. */
export interface ConnectedSubject extends Subject {
  open(): Promise<ConnectedWorld>
}

/** What a forge is asked for in its own words, by people. */
export interface There {
  forge: Exclude<ForgeName, 'builtin'>
  place: Place
  /** `owner/name` as it is now. */
  path(): string
  tip: (branch: string) => Promise<string | null>
  removeBranch: (branch: string) => Promise<void>
  /** Returns when the forge knows a push everywhere. */
  taken?: (branch: string, commit: string) => Promise<void>
  comments(number: number): Promise<{ body: string; by: string }[]>
  opened: (number: number) => Promise<{ by: string; body: string }>
  statuses: (oid: string) => ReturnType<ForgeWorld['statuses']>
  /** Absent where the forge has none. */
  deployments?: (oid: string) => ReturnType<ForgeWorld['deployments']>
  merge(who: Account, number: number, headOid?: string, method?: MergeMethod): Promise<void>
  allowMethod?: NonNullable<ForgeWorld['allowMethod']>
  /** Of a real one: the outsider's fork, and how a merge request of it is opened. */
  fork?: { url(): Promise<string>; open(branch: string, title: string): Promise<number> }
  rename: (name: string) => Promise<void>
  allow: (write: boolean) => Promise<void>
  as(who: Account): Person
}

/** Everything here goes by the API and by Git over HTTP, so that it is the same on a double and on a real one. */
export async function connectedWorld(there: There): Promise<ConnectedWorld> {
  const { place } = there
  const { address, accounts } = place
  const first = await startHarness({ still: true })
  const { store, users, engine } = first
  const repository = await connectRepository(engine.parts, {
    forge: there.forge,
    url: `${address}/${place.path}`,
    token: accounts.bot.token,
    name: 'connected',
    actorId: users.author.id,
  })
  const repositoryId = repository.id
  await store.transaction(async (tx) => {
    for (const [name, { id: userId }] of Object.entries(users)) {
      const remoteId = accounts[name as PersonName].id
      await createForgePerson(tx, { address, remoteId, userId, made: false })
      await setMember(tx, { repositoryId, userId, role: 'maintainer' })
    }
  })
  const harness = first.at(repositoryId)
  const forge = await engine.parts.forges.of(repositoryId)
  const { tip } = there
  const forked = new Map<string, string>()

  return {
    harness,
    forge,
    async push(branch, files) {
      const { git } = harness
      const { name: username, token: password } = accounts.author
      const url = place.near?.url ?? `${address}/${there.path()}.git`
      const remote = { url, username, password }
      const old = await tip(branch)
      const parent = old ?? (await tip('main'))
      if (parent !== null && (await git.resolve(parent)) === null) await git.fetchBranches(remote)
      const commit = await git.commitFiles({
        parent,
        message: `Change ${branch}`,
        author: { name: 'someone', email: 'someone@example.test', at: Date.now() },
        files: Object.entries(files).map(([file, text]) => ({
          path: file,
          content: text === null ? null : Buffer.from(text),
        })),
      })
      if (!(await git.pushBranch({ ...remote, branch }, commit, old ?? NO_OID))) throw new Error(`${branch} moved`)
      place.near?.pushed(branch, commit)
      // A real one takes a push in beside its answer.
      if (!place.near) {
        await vi.waitFor(async () => expect(await tip(branch)).toBe(commit), { timeout: 180_000, interval: 100 })
        await there.taken?.(branch, commit)
      }
      return commit
    },
    removeBranch: there.removeBranch,
    tip,
    async look() {
      await lookAtForge(engine.parts, repositoryId)
      await harness.settle()
    },
    comments: async ({ number }) =>
      (await there.comments(number)).map(({ body, by }) => ({ body, byTrueup: by === accounts.bot.id })),
    statuses: there.statuses,
    deployments: there.deployments ?? (async () => []),
    async mergeUnheard(mr) {
      const begun = { state: 'merging' as const, mergedById: users.reviewer.id }
      await store.transaction((tx) => patchMergeRequest(tx, mr.id, begun))
      await there.merge(accounts.bot, mr.number, mr.headOid)
    },
    ...(there.allowMethod && { allowMethod: there.allowMethod }),
    mergeThere: (person, number, method) => there.merge(accounts[person], number, undefined, method),
    moment: async () => void (place.near ?? (await sleep(1_100))),
    aMoment: async () => void (place.near ?? (await sleep(1_100))),
    opened: there.opened,
    botId: accounts.bot.id,
    as: (name) => there.as(accounts[name]),
    elsewhere: {
      outsider: {
        async push(branch, files) {
          const { git } = harness
          const main = await tip('main')
          const commit = await git.commitFiles({
            parent: main,
            message: `Change ${branch}\n\n${Object.values(files).join()}`,
            author: { name: 'outsider', email: 'outsider@example.test', at: Date.now() },
            files: Object.entries(files).map(([path, text]) => ({ path, content: Buffer.from(text!) })),
          })
          const { name: username, token: password } = accounts.outsider
          const { near } = place
          const url = near?.url ?? (await there.fork!.url())
          const old = (near ? null : forked.get(branch)) ?? NO_OID
          if (!(await git.pushBranch({ url, username, password, branch }, commit, old)))
            throw new Error(`${branch} moved`)
          forked.set(branch, commit)
          await near?.forked(branch, commit)
          return commit
        },
        open: async (branch, title) => place.near?.opened(branch, title) ?? (await there.fork!.open(branch, title)),
        comment: (number, body) => there.as(accounts.outsider).comment(number, body),
      },
      rename: there.rename,
      allow: there.allow,
      async problem() {
        const problem = (await connectionOf(store.db, repositoryId))?.problem
        return problem ? `${problem.code}: ${problem.why}` : null
      },
    },
    stop: () => first.stop(),
  }
}
