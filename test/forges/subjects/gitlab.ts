import { execFileSync } from 'node:child_process'
import { type GitLabDouble, startGitLabDouble } from '../gitlab/double.ts'
import { now } from '../gitlab/state.ts'
import { askApi, type Account, type Answer, type Place } from '../place.ts'
import type { Person } from '../subject.ts'
import { type ConnectedSubject, type ConnectedWorld, connectedWorld } from './connected.ts'

/** A project on GitLab, real or a double. */
export async function gitlabWorld(place: Place): Promise<ConnectedWorld> {
  const { address, accounts } = place
  const ask = ({ token }: Account, method: string, path: string, body?: object, fine: number[] = []): Promise<Answer> =>
    askApi(`${address}/api/v4${path}`, { 'private-token': token }, { method, body, fine, forbidden: 401 })
  const { id } = await ask(accounts.owner, 'GET', `/projects/${encodeURIComponent(place.path)}`)
  const project = `/projects/${id}`
  let path = place.path
  const one = (number: number): string => `${project}/merge_requests/${number}`

  return await connectedWorld({
    forge: 'gitlab',
    place,
    path: () => path,
    tip: async (branch) =>
      (await ask(accounts.author, 'GET', `${project}/repository/branches/${branch}`, undefined, [404]))?.commit?.id ??
      null,
    removeBranch: (branch) => ask(accounts.author, 'DELETE', `${project}/repository/branches/${branch}`),
    async comments(number) {
      const notes: Answer[] = await ask(accounts.author, 'GET', `${one(number)}/notes?sort=asc&per_page=100`)
      return notes.filter(({ system }) => !system).map(({ body, author }) => ({ body, by: String(author.id) }))
    },
    async opened(number) {
      const { author, description } = await ask(accounts.author, 'GET', one(number))
      return { by: String(author.id), body: description }
    },
    async statuses(oid) {
      const all: Answer[] = await ask(accounts.author, 'GET', `${project}/repository/commits/${oid}/statuses`)
      return all.map(({ name, status, description }) => ({ name, state: status, description }))
    },
    async deployments(oid) {
      const all: Answer[] = await ask(accounts.author, 'GET', `${project}/deployments?order_by=id&sort=desc`)
      const own = all.toReversed().filter(({ sha }) => sha === oid)
      return own.map(({ environment, status }) => ({ environment: environment.name, state: status }))
    },
    async merge(who, number, sha) {
      for (let looks = 0; looks < 100; looks++)
        if ((await ask(who, 'GET', one(number))).detailed_merge_status !== 'checking') break
      await ask(who, 'PUT', `${one(number)}/merge`, { ...(sha && { sha }) })
    },
    allowMethod: (method) =>
      ask(accounts.owner, 'PUT', project, { merge_method: method === 'fast-forward' ? 'ff' : 'merge' }),
    async rename(name) {
      await ask(accounts.owner, 'PUT', project, { name, path: name })
      path = path.replace(/[^/]+$/, name)
    },
    allow: (write) =>
      ask(accounts.owner, 'PUT', `${project}/members/${accounts.bot.id}`, { access_level: write ? 40 : 20 }),
    as: personOf,
  })

  function personOf(who: Account): Person {
    const edit = async (number: number, body: object): Promise<void> => void (await ask(who, 'PUT', one(number), body))
    const titled = (title: string, draft: boolean): string => (draft ? `Draft: ${title}` : title)
    return {
      async open({ sourceBranch, title, description = '', draft = false }) {
        const branches = { source_branch: sourceBranch, target_branch: 'main' }
        const body = { ...branches, title: titled(title, draft), description }
        return (await ask(who, 'POST', `${project}/merge_requests`, body)).iid
      },
      async edit(number, { title, description, draft }) {
        const now: Answer = await ask(who, 'GET', one(number))
        const plain = title ?? now.title.replace(/^Draft: /, '')
        await edit(number, {
          title: titled(plain, draft ?? now.draft),
          ...(description !== undefined && { description }),
        })
      },
      close: (number) => edit(number, { state_event: 'close' }),
      reopen: (number) => edit(number, { state_event: 'reopen' }),
      async review(number, verdict) {
        const state = verdict === 'comment' ? 'reviewed' : 'requested_changes'
        if (verdict === 'approve') await ask(who, 'POST', `${one(number)}/approve`)
        else await ask(who, 'POST', `${one(number)}/submit-review`, { state })
      },
      withdraw: (number) => ask(who, 'POST', `${one(number)}/unapprove`),
      comment: (number, body) => ask(who, 'POST', `${one(number)}/notes`, { body }),
    }
  }
}

/** Where its accounts are, of a double. */
export const placeOfGitLab = ({ address, state, git }: GitLabDouble): Place => {
  const outsider = state.users.find(({ username }) => username === 'outsider')!
  return {
    address,
    near: {
      url: `file://${git.directory}`,
      async forked(branch, sha) {
        git.forget()
        await git.move(branch, null)
        state.pushes.push({ author: outsider, branch, sha })
        state.forks.set(branch, sha)
        const mr = state.mrs.find((its) => its.isFork && its.source === branch)
        if (!mr) return
        mr.versions.push({ head_commit_sha: sha, created_at: now(state) })
        await git.git('update-ref', `refs/merge-requests/${mr.iid}/head`, sha)
      },
      opened(branch, title) {
        const iid = state.mrs.length + 1
        const at = now(state)
        const sha = state.forks.get(branch)!
        state.mrs.push({
          iid,
          title,
          description: '',
          state: 'opened',
          author: outsider,
          source: branch,
          target: 'main',
          versions: [{ head_commit_sha: sha, created_at: at }],
          isFork: true,
          merged: null,
          approvals: [],
          reviewers: new Map(),
          updated_at: at,
          looking: 1,
          locked: 0,
        })
        execFileSync('git', ['-C', git.directory, 'update-ref', `refs/merge-requests/${iid}/head`, sha])
        return iid
      },
      pushed(branch, sha) {
        git.forget()
        state.pushes.push({ author: state.users.find(({ username }) => username === 'author')!, branch, sha })
      },
    },
    path: state.path,
    accounts: Object.fromEntries(
      state.users.map(({ id, username, token }) => [
        username === 'trueup-bot' ? 'bot' : username,
        { id: String(id), name: username, token },
      ]),
    ) as Place['accounts'],
  }
}

let running: { world: ConnectedWorld; double: GitLabDouble } | undefined

export const gitlabDoubleSubject: ConnectedSubject = {
  name: 'gitlab',
  against: 'a double of GitLab 18.4',
  async open() {
    const double = await startGitLabDouble()
    running = { double, world: await gitlabWorld(placeOfGitLab(double)) }
    return running.world
  },
  async close() {
    await running?.world.stop()
    await running?.double.close()
  },
}
