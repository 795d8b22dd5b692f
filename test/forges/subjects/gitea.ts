import { execFileSync } from 'node:child_process'
import { expect, vi } from 'vitest'
import { retry } from '../../../src/lib/retry.ts'
import { type GiteaDouble, startGiteaDouble } from '../gitea/double.ts'
import { giteaAsks, realGitea } from '../gitea/real.ts'
import type { Account, Answer, Place } from '../place.ts'
import type { Person } from '../subject.ts'
import { type ConnectedSubject, type ConnectedWorld, connectedWorld } from './connected.ts'

/** A real one does much beside its answers. */
const eventually = (check: () => Promise<void>): Promise<void> => vi.waitFor(check, { timeout: 180_000, interval: 100 })

/** A repository on Gitea, real or a double. */
export async function giteaWorld(place: Place): Promise<ConnectedWorld> {
  const { accounts } = place
  const ask = giteaAsks(place.address)
  let path = `/repos/${place.path}`

  const pullsOf = async (branch: string): Promise<Answer[]> => {
    const open: Answer[] = await ask(accounts.author, 'GET', `${path}/pulls?state=open&limit=50`)
    return open.filter(({ head }) => head.label === branch)
  }

  return await connectedWorld({
    forge: 'gitea',
    place,
    path: () => path.slice('/repos/'.length),
    tip: async (branch) =>
      (await ask(accounts.author, 'GET', `${path}/branches/${branch}`, undefined, [404]))?.commit?.id ?? null,
    async removeBranch(branch) {
      await ask(accounts.author, 'DELETE', `${path}/branches/${branch}`)
      await eventually(async () => expect(await pullsOf(branch)).toEqual([]))
    },
    taken: (branch, commit) =>
      eventually(async () => {
        for (const { head } of await pullsOf(branch)) expect(head.sha).toBe(commit)
        const feed = await ask(accounts.author, 'GET', `${path}/activities/feeds?limit=50`)
        expect(JSON.stringify(feed)).toContain(commit)
      }),
    async comments(number) {
      const all: Answer[] = await ask(accounts.author, 'GET', `${path}/issues/${number}/comments`)
      return all.map(({ body, user }) => ({ body, by: String(user.id) }))
    },
    async opened(number) {
      const { user, body } = await ask(accounts.author, 'GET', `${path}/pulls/${number}`)
      return { by: String(user.id), body }
    },
    async statuses(oid) {
      const { statuses } = await ask(accounts.author, 'GET', `${path}/commits/${oid}/status`)
      return (statuses as Answer[]).map(({ context, status, description }) => ({
        name: context,
        state: status,
        description,
      }))
    },
    async merge(who, number, headOid, method = 'merge') {
      const body = {
        Do: method === 'fast-forward' ? 'fast-forward-only' : method,
        ...(headOid && { head_commit_id: headOid }),
      }
      const merge = (): Promise<Answer> => ask(who, 'POST', `${path}/pulls/${number}/merge`, body)
      const isLooking = (thrown: unknown): boolean => String(thrown).includes('try again later')
      await retry(merge, {
        pauses: { first: 200, longest: 2_000 },
        attempts: 100,
        again: (outcome) => !outcome.ok && isLooking(outcome.thrown),
      })
    },
    fork: {
      async url() {
        const { name } = accounts.outsider
        const own = path.replace(/^\/repos\/[^/]+/, `/repos/${name}`)
        if ((await ask(accounts.outsider, 'GET', own, undefined, [404])) === null)
          await ask(accounts.outsider, 'POST', `${path}/forks`, {})
        return `${place.address}${own.slice('/repos'.length)}.git`
      },
      async open(branch, title) {
        const body = { head: `${accounts.outsider.name}:${branch}`, base: 'main', title, body: '' }
        return (await ask(accounts.outsider, 'POST', `${path}/pulls`, body)).number
      },
    },
    async rename(name) {
      await ask(accounts.owner, 'PATCH', path, { name })
      path = path.replace(/[^/]+$/, name)
    },
    async allow(write) {
      const who = `${path}/collaborators/${accounts.bot.name}`
      await ask(accounts.owner, 'PUT', who, { permission: write ? 'admin' : 'read' })
    },
    as: personOf,
  })

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
        const all: Answer[] = await ask(who, 'GET', `${path}/pulls/${number}/reviews`)
        const own = all.filter(({ user, state }) => String(user.id) === who.id && state === 'APPROVED')
        for (const { id } of own) await ask(who, 'DELETE', `${path}/pulls/${number}/reviews/${id}`)
      },
      comment: async (number, body) => void (await ask(who, 'POST', `${path}/issues/${number}/comments`, { body })),
    }
  }
}

let running: { world: ConnectedWorld; double: GiteaDouble | null } | undefined

const close = async (): Promise<void> => {
  await running?.world.stop()
  await running?.double?.close()
}

/** Where its accounts are, of a double. */
export const placeOf = ({ address, state, git }: GiteaDouble): Place => {
  const outsider = state.users.find(({ login }) => login === 'outsider')!
  return {
    address,
    near: {
      url: `file://${git.directory}`,
      async forked(branch, sha) {
        git.forget()
        await git.move(branch, null)
        state.pushes.push({ user: outsider, branch, sha })
        const pull = state.pulls.find((its) => its.isFork && its.head === branch)
        state.forks.set(branch, sha)
        if (!pull) return
        pull.headSha = sha
        await git.git('update-ref', `refs/pull/${pull.number}/head`, sha)
      },
      opened(branch, title) {
        const number = state.pulls.length + 1
        const headSha = state.forks.get(branch)!
        const heads = { head: branch, base: 'main', headSha, isFork: true }
        const pull = { number, title, body: '', state: 'open' as const, merged: null, looked: '' }
        state.pulls.push({ ...pull, ...heads, author: outsider })
        execFileSync('git', ['-C', git.directory, 'update-ref', `refs/pull/${number}/head`, headSha])
        return number
      },
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
    ) as Place['accounts'],
  }
}

export const giteaDoubleSubject: ConnectedSubject = {
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
export const realGiteaSubject = (where: string): ConnectedSubject => ({
  name: 'gitea',
  against: 'a real Gitea',
  async open() {
    running = { double: null, world: await giteaWorld(await realGitea(where)) }
    return running.world
  },
  close,
})
