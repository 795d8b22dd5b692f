import {
  type Call,
  mayWrite,
  missing,
  ok,
  pullOf,
  Refusal,
  REPOSITORY_ID,
  repositoryJson,
  type Route,
  userJson,
} from './call.ts'
import { type DoublePull, now } from './state.ts'

const R = '/repos/{owner}/{repo}'

/** GitHub follows the branches of open pull requests, and closes those whose branch is gone. */
export async function followBranches({ state, git }: Pick<Call, 'state' | 'git'>): Promise<void> {
  for (const pull of state.pulls) {
    if (pull.merged || (pull.isFork && (await git.tip(pull.head)) === null)) continue
    const tip = await git.tip(pull.head)
    if (tip !== null) pull.headSha = tip
    else if (pull.state === 'open') pull.state = 'closed'
  }
}

async function listed(call: Call, pull: DoublePull) {
  const own = repositoryJson(call)
  const repo = pull.isFork ? { ...own, id: REPOSITORY_ID + 1, full_name: `outsider/${own.name}` } : own
  const baseSha = (await call.git.tip(pull.base)) ?? '0'.repeat(40)
  return {
    id: pull.number + 1000,
    node_id: `PR_${pull.number}`,
    number: pull.number,
    title: pull.title,
    body: pull.body,
    state: pull.state,
    draft: pull.draft,
    user: userJson(pull.user),
    head: { ref: pull.head, sha: pull.headSha, repo },
    base: { ref: pull.base, sha: baseSha, repo: repositoryJson(call) },
    merged_at: pull.merged?.at ?? null,
    merge_commit_sha: pull.merged?.sha ?? null,
  }
}

/** It looks in the background whether that can be merged, anew after each push to either branch. */
async function whole(call: Call, pull: DoublePull) {
  const base = await call.git.tip(pull.base)
  const heads = `${pull.headSha} ${base}`
  const hasLooked = pull.looked === heads
  pull.looked = heads
  const canMerge = base !== null && (await call.git.mergeTree(base, pull.headSha)) !== null
  return {
    ...(await listed(call, pull)),
    merged: pull.merged !== null,
    merged_by: pull.merged ? userJson(pull.merged.by) : null,
    mergeable: pull.merged || !hasLooked ? null : canMerge,
    mergeable_state: hasLooked ? (canMerge ? 'clean' : 'dirty') : 'unknown',
  }
}

export const PULL_ROUTES: readonly Route[] = [
  [
    `get ${R}/pulls`,
    async (call) => {
      const shown = call.state.pulls.filter((pull) => call.query.get('state') !== 'open' || pull.state === 'open')
      return ok(await Promise.all(shown.map((pull) => listed(call, pull))))
    },
  ],
  [
    `post ${R}/pulls`,
    async (call) => {
      const { state, git, user, body } = call
      mayWrite(call)
      const same = state.pulls.some((its) => its.state === 'open' && its.head === body.head && its.base === body.base)
      if (same) throw new Refusal(422, `Validation Failed: A pull request already exists for owner:${body.head}.`)
      const headSha = await git.tip(body.head)
      if (headSha === null) throw new Refusal(422, 'Validation Failed: head invalid')
      const pull: DoublePull = {
        number: state.pulls.length + 1,
        title: body.title,
        body: body.body ?? '',
        state: 'open',
        draft: body.draft ?? false,
        user,
        head: body.head,
        base: body.base,
        headSha,
        isFork: false,
        merged: null,
        looked: '',
      }
      state.pulls.push(pull)
      return ok(await whole(call, pull), 201)
    },
  ],
  [`get ${R}/pulls/{pull_number}`, async (call) => ok(await whole(call, pullOf(call)))],
  [
    `patch ${R}/pulls/{pull_number}`,
    async (call) => {
      const pull = pullOf(call)
      mayWrite(call)
      const { title, body, state, base } = call.body
      if (state === 'open' && (pull.merged || (await call.git.tip(pull.head)) === null))
        throw new Refusal(422, 'Validation Failed: state cannot be changed')
      if (title !== undefined) pull.title = title
      if (body !== undefined) pull.body = body
      if (base !== undefined) pull.base = base
      if (state !== undefined) pull.state = state
      return ok(await whole(call, pull))
    },
  ],
  [`put ${R}/pulls/{pull_number}/merge`, merge],
  [
    `get ${R}/commits/{commit_sha}/pulls`,
    async (call) => {
      const sha = call.parts[0]!
      await call.git.git('cat-file', '-e', sha).catch(() => {
        throw new Refusal(422, `No commit found for SHA: ${sha}`)
      })
      const own = call.state.pulls.filter(({ merged, headSha }) => merged?.sha === sha || headSha === sha)
      return ok(await Promise.all(own.map((pull) => listed(call, pull))))
    },
  ],
]

/** What REST cannot do. */
export async function graphQl({ state, user, body }: Call): Promise<unknown> {
  const pull = state.pulls.find(({ number }) => `PR_${number}` === body.variables.id)
  const isAllowed = ['write', 'admin'].includes(state.permissions.get(user.login) ?? '')
  if (!pull || !isAllowed) return { data: null, errors: [{ message: 'Could not resolve to a node' }] }
  pull.draft = body.query.includes('convertPullRequestToDraft')
  return { data: {} }
}

async function merge(call: Call): Promise<{ status: number; body: unknown }> {
  const { git, body, user, state } = call
  const pull = pullOf(call)
  mayWrite(call)
  const base = (await git.tip(pull.base)) ?? missing()
  if (pull.state !== 'open' || pull.draft) throw new Refusal(405, 'Pull Request is not mergeable')
  if (pull.looked !== `${pull.headSha} ${base}`)
    throw new Refusal(405, 'Base branch was modified. Review and try the merge again.')
  if (body.sha && body.sha !== pull.headSha)
    throw new Refusal(409, 'Head branch was modified. Review and try the merge again.')
  const tree = await git.mergeTree(base, pull.headSha)
  if (tree === null) throw new Refusal(405, 'Pull Request is not mergeable')
  const parents = body.merge_method === 'squash' ? [base] : [base, pull.headSha]
  const message = `${body.commit_title ?? pull.title}\n\n${body.commit_message ?? ''}`
  const sha =
    body.merge_method === 'rebase'
      ? ((await git.rebase(base, pull.headSha)) ?? missing())
      : await git.git('commit-tree', tree, ...parents.flatMap((parent) => ['-p', parent]), '-m', message)
  await git.move(pull.base, sha, base)
  Object.assign(pull, { state: 'closed', merged: { sha, by: user, at: now(state) } })
  return ok({ sha, merged: true, message: 'Pull Request successfully merged' })
}
