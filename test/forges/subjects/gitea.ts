import { connectRepository } from '../../../src/engine/connections/connect.ts'
import { lookAtForge } from '../../../src/engine/connections/looks.ts'
import { startHarness } from '../../../src/engine/testing/harness.ts'
import { NO_OID } from '../../../src/git/repository.ts'
import { type MergeRequest, patchMergeRequest } from '../../../src/store/changes/merge-requests.ts'
import { connectionOf } from '../../../src/store/forges/connections.ts'
import { createForgePerson } from '../../../src/store/forges/people.ts'
import { setMember } from '../../../src/store/people/members.ts'
import { type GiteaDouble, startGiteaDouble } from '../gitea/double.ts'
import { type Account, giteaAsks, type GiteaPlace, realGitea } from '../gitea/place.ts'
import type { ForgeWorld, Person, PersonName, Subject } from '../subject.ts'

export interface GiteaWorld extends ForgeWorld {
  /** Merged by a person on the forge. */
  mergeThere(person: PersonName, number: number): Promise<void>
  stop(): Promise<void>
}

/** Everything here goes by the API and by Git over HTTP, so that it is the same on a double and on a real one. */
export async function giteaWorld(place: GiteaPlace): Promise<GiteaWorld> {
  const { address, accounts } = place
  const first = await startHarness({ still: true })
  const { store, users, engine } = first
  const repository = await connectRepository(engine.parts, {
    forge: 'gitea',
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
  let path = `/repos/${place.path}`
  const ask = giteaAsks(address)
  const tip = async (branch: string): Promise<string | null> =>
    (await ask(accounts.author, 'GET', `${path}/branches/${branch}`, undefined, [404]))?.commit?.id ?? null

  return {
    harness,
    forge,
    async push(branch, files) {
      const { git } = harness
      const { name: username, token: password } = accounts.author
      const url = place.near?.url ?? `${address}${path.slice('/repos'.length)}.git`
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
      return commit
    },
    removeBranch: async (branch) => void (await ask(accounts.author, 'DELETE', `${path}/branches/${branch}`)),
    tip,
    async look() {
      await lookAtForge(engine.parts, repositoryId)
      await harness.settle()
    },
    async comments({ number }) {
      const all = await ask(accounts.author, 'GET', `${path}/issues/${number}/comments`)
      return all.map(({ body, user }: { body: string; user: { id: number } }) => ({
        body,
        byTrueup: String(user.id) === accounts.bot.id,
      }))
    },
    async statuses(oid) {
      const { statuses } = await ask(accounts.author, 'GET', `${path}/commits/${oid}/status`)
      return statuses.map((its: { context: string; status: string; description: string }) => ({
        name: its.context,
        state: its.status,
        description: its.description,
      }))
    },
    async mergeUnheard(mr: MergeRequest) {
      const begun = { state: 'merging' as const, mergedById: users.reviewer.id }
      await store.transaction((tx) => patchMergeRequest(tx, mr.id, begun))
      await ask(accounts.bot, 'POST', `${path}/pulls/${mr.number}/merge`, { Do: 'merge', head_commit_id: mr.headOid })
    },
    mergeThere: async (person, number) =>
      void (await ask(accounts[person], 'POST', `${path}/pulls/${number}/merge`, { Do: 'merge' })),
    as: (name) => personOf(accounts[name]),
    elsewhere: {
      async rename(name) {
        await ask(accounts.owner, 'PATCH', path, { name })
        path = path.replace(/[^/]+$/, name)
      },
      async allow(write) {
        const who = `${path}/collaborators/${accounts.bot.name}`
        await ask(accounts.owner, 'PUT', who, { permission: write ? 'admin' : 'read' })
      },
      async problem() {
        const problem = (await connectionOf(store.db, repositoryId))?.problem
        return problem ? `${problem.code}: ${problem.why}` : null
      },
    },
    stop: () => first.stop(),
  }

  function personOf(who: Account): Person {
    const edit = async (number: number, body: object): Promise<void> =>
      void (await ask(who, 'PATCH', `${path}/pulls/${number}`, body))
    return {
      async open({ sourceBranch, title, description = '', draft = false }) {
        const body = { head: sourceBranch, base: 'main', title: draft ? `WIP: ${title}` : title, body: description }
        return (await ask(who, 'POST', `${path}/pulls`, body)).number
      },
      async edit(number, { title, description, draft }) {
        const { title: now } = await ask(who, 'GET', `${path}/pulls/${number}`)
        const plain = (title ?? now).replace(/^WIP: /, '')
        const isDraft = draft ?? String(now).startsWith('WIP: ')
        await edit(number, {
          title: isDraft ? `WIP: ${plain}` : plain,
          ...(description !== undefined && { body: description }),
        })
      },
      close: (number) => edit(number, { state: 'closed' }),
      reopen: (number) => edit(number, { state: 'open' }),
      async review(number, verdict, body) {
        const event = { approve: 'APPROVED', request_changes: 'REQUEST_CHANGES', comment: 'COMMENT' }[verdict]
        await ask(who, 'POST', `${path}/pulls/${number}/reviews`, { event, body })
      },
      async withdraw(number) {
        const all: { id: number; user: { id: number }; state: string }[] = await ask(
          who,
          'GET',
          `${path}/pulls/${number}/reviews`,
        )
        const own = all.filter(({ user, state }) => String(user.id) === who.id && state === 'APPROVED')
        for (const { id } of own) await ask(who, 'DELETE', `${path}/pulls/${number}/reviews/${id}`)
      },
      comment: async (number, body) => void (await ask(who, 'POST', `${path}/issues/${number}/comments`, { body })),
    }
  }
}

let running: { world: Awaited<ReturnType<typeof giteaWorld>>; double: GiteaDouble | null } | undefined

const close = async (): Promise<void> => {
  await running?.world.stop()
  await running?.double?.close()
}

/** Where its accounts are, of a double. */
export const placeOf = ({ address, state, git }: GiteaDouble): GiteaPlace => ({
  address,
  near: {
    url: `file://${git.directory}`,
    pushed(branch, sha) {
      git.forget()
      state.pushes.push({ user: state.users.find(({ login }) => login === 'author')!, branch, sha })
    },
  },
  path: `owner/${state.name}`,
  accounts: Object.fromEntries(
    state.users.map(({ id, login, token }) => [
      login === 'trueup-bot' ? 'bot' : login,
      { id: String(id), name: login, token },
    ]),
  ) as GiteaPlace['accounts'],
})

export const giteaDoubleSubject: Subject = {
  name: 'gitea',
  against: 'a double of Gitea 1.24',
  async open() {
    const double = await startGiteaDouble()
    running = { double, world: await giteaWorld(placeOf(double)) }
    return running.world
  },
  close,
}

/** A real one: `TRUEUP_TEST_GITEA=https://git.example.test,NAME:PASSWORD` of an administrator there. */
export const realGiteaSubject = (where: string): Subject => ({
  name: 'gitea',
  against: 'a real Gitea',
  async open() {
    running = { double: null, world: await giteaWorld(await realGitea(where)) }
    return running.world
  },
  close,
})
