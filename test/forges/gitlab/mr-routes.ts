import { mrJson, noteJson, userJson } from './answers.ts'
import { type Call, may, missing, ok, P, Refusal, type Route } from './call.ts'
import { type DoubleMr, type DoubleNote, headOf, now, withoutActions } from './state.ts'

const mrOf = ({ state, parts }: Call): DoubleMr => state.mrs.find(({ iid }) => iid === Number(parts[0])) ?? missing()
const noteOf = ({ state, parts }: Call): DoubleNote =>
  state.notes.find(({ id, iid }) => id === Number(parts[1]) && iid === Number(parts[0])) ?? missing('Note Not Found')

function note({ state, user }: Pick<Call, 'state' | 'user'>, mr: DoubleMr, body: string, system: boolean): DoubleNote {
  const at = now(state)
  const made: DoubleNote = {
    id: (state.lastId += 1),
    iid: mr.iid,
    type: null,
    system,
    author: user,
    body,
    awards: new Set(),
    created_at: at,
    updated_at: at,
  }
  state.notes.push(made)
  mr.updated_at = at
  return made
}

/** Merge requests, and what is said of them. */
export const mergeRequestRoutes = (): readonly Route[] => {
  const M = `${P}/merge_requests`
  return [
    [
      `GET ${M}`,
      async ({ state, query }) => {
        const after = Date.parse(query.get('updated_after') ?? '1970-01-01T00:00:00Z')
        const wanted = query.get('state')
        const shown = state.mrs.filter((mr) => wanted === 'all' || mr.state === wanted)
        return ok(shown.filter(({ updated_at }) => Date.parse(updated_at) >= after).map(mrJson))
      },
    ],
    [`POST ${M}`, open],
    [
      `GET ${M}/(\\d+)`,
      async (call) => {
        const mr = mrOf(call)
        const head_pipeline = call.state.pipelines.findLast(({ iid }) => iid === mr.iid) ?? null
        return ok({ ...mrJson(mr), head_pipeline })
      },
    ],
    [`PUT ${M}/(\\d+)`, edit],
    [`PUT ${M}/(\\d+)/merge`, merge],
    [`GET ${M}/(\\d+)/versions`, async (call) => ok(mrOf(call).versions.toReversed())],
    [
      `GET ${M}/(\\d+)/approvals`,
      async (call) => {
        const approved_by = mrOf(call).approvals.map(({ user, approved_at }) => ({
          user: userJson(user),
          ...(call.state.approvedAt && { approved_at }),
        }))
        return ok({ approved: approved_by.length > 0, approved_by })
      },
    ],
    [
      `GET ${M}/(\\d+)/reviewers`,
      async (call) => {
        const reviewers = [...mrOf(call).reviewers]
        return ok(reviewers.map(([user, { state, created_at }]) => ({ user: userJson(user), state, created_at })))
      },
    ],
    [
      `POST ${M}/(\\d+)/approve`,
      async (call) => {
        may(call, 30)
        const mr = mrOf(call)
        if (call.user === mr.author) throw new Refusal(401, { message: '401 Unauthorized' })
        const { created_at } = note(call, mr, 'approved this merge request', true)
        mr.approvals = mr.approvals.filter(({ user }) => user !== call.user)
        mr.approvals.push({ user: call.user, approved_at: created_at })
        mr.reviewers.set(call.user, { state: 'approved', created_at })
        return ok({}, 201)
      },
    ],
    [
      `POST ${M}/(\\d+)/unapprove`,
      async (call) => {
        const mr = mrOf(call)
        mr.approvals = mr.approvals.filter(({ user }) => user !== call.user)
        mr.reviewers.set(call.user, { state: 'unapproved', created_at: now(call.state) })
        note(call, mr, 'unapproved this merge request', true)
        return ok({}, 201)
      },
    ],
    [
      // As by the page of GitLab, which has no address for it in REST.
      `POST ${M}/(\\d+)/submit-review`,
      async (call) => {
        const mr = mrOf(call)
        const asks = call.body.state === 'requested_changes'
        const { created_at } = note(call, mr, asks ? 'requested changes' : 'left review comments', true)
        if (asks) mr.approvals = mr.approvals.filter(({ user }) => user !== call.user)
        mr.reviewers.set(call.user, { state: call.body.state, created_at })
        return ok({}, 201)
      },
    ],
    [
      `GET ${M}/(\\d+)/notes`,
      async (call) => {
        const { iid } = mrOf(call)
        const key = call.query.get('order_by') === 'updated_at' ? 'updated_at' : 'created_at'
        const own = call.state.notes.filter((its) => its.iid === iid).sort((a, b) => (a[key] < b[key] ? -1 : 1))
        return ok((call.query.get('sort') === 'desc' ? own.reverse() : own).map(noteJson))
      },
    ],
    [
      `POST ${M}/(\\d+)/notes`,
      async (call) => {
        const body = withoutActions(call.state, call.user, call.body.body)
        return ok(noteJson(note(call, mrOf(call), body, false)), 201)
      },
    ],
    [`GET ${M}/(\\d+)/notes/(\\d+)`, async (call) => ok(noteJson(noteOf(call)))],
    [
      `PUT ${M}/(\\d+)/notes/(\\d+)`,
      async (call) => {
        const its = Object.assign(noteOf(call), { body: call.body.body, updated_at: now(call.state) })
        return ok(noteJson(its))
      },
    ],
    [
      `POST ${M}/(\\d+)/notes/(\\d+)/award_emoji`,
      async (call) => {
        const its = noteOf(call)
        const award = `${call.body.name} of ${call.user.username}`
        if (its.awards.has(award)) missing('Award Emoji Name has already been taken Not Found')
        its.awards.add(award)
        its.updated_at = now(call.state)
        return ok({ id: 1, name: call.body.name, user: userJson(call.user) }, 201)
      },
    ],
  ]
}

async function open(call: Call): Promise<{ status: number; body: unknown }> {
  const { state, git, user, body } = call
  may(call, 30)
  const [source, target] = [body.source_branch, body.target_branch]
  const same = state.mrs.find((its) => its.state === 'opened' && its.source === source && its.target === target)
  if (same)
    throw new Refusal(409, {
      message: [`Another open merge request already exists for this source branch: !${same.iid}`],
    })
  const head_commit_sha = (await git.tip(source)) ?? missing()
  const at = now(state)
  const mr: DoubleMr = {
    iid: state.mrs.length + 1,
    title: body.title,
    description: withoutActions(state, user, body.description ?? ''),
    state: 'opened',
    author: user,
    source,
    target,
    versions: [{ head_commit_sha, created_at: at }],
    isFork: false,
    merged: null,
    approvals: [],
    reviewers: new Map(),
    updated_at: at,
    looking: 1,
    locked: 0,
  }
  state.mrs.push(mr)
  return ok(mrJson(mr), 201)
}

async function edit(call: Call): Promise<{ status: number; body: unknown }> {
  const mr = mrOf(call)
  may(call, 30)
  const { title, description, state_event, target_branch } = call.body
  if (title !== undefined) mr.title = title
  if (description !== undefined) mr.description = withoutActions(call.state, call.user, description)
  if (target_branch !== undefined) mr.target = target_branch
  if (state_event === 'close' && mr.state === 'opened') mr.state = 'closed'
  if (state_event === 'reopen' && mr.state === 'closed') mr.state = 'opened'
  mr.updated_at = now(call.state)
  return ok(mrJson(mr))
}

async function merge(call: Call): Promise<{ status: number; body: unknown }> {
  const { git, body, user, state } = call
  const mr = mrOf(call)
  if ((state.levels.get(user.username) ?? 0) < 40) throw new Refusal(401, { message: '401 Unauthorized' })
  if (mr.state !== 'opened' || mr.looking > 0 || mrJson(mr).draft)
    throw new Refusal(405, { message: '405 Method Not Allowed' })
  const head = headOf(mr)
  if (body.sha && body.sha !== head) throw new Refusal(409, { message: 'SHA does not match HEAD of source branch: x' })
  const base = (await git.tip(mr.target)) ?? missing()
  const tree = await git.mergeTree(base, head)
  if (tree === null) throw new Refusal(422, { message: 'Branch cannot be merged' })
  const commit = (parents: string[], message: string): Promise<string> =>
    git.git('commit-tree', tree, ...parents.flatMap((parent) => ['-p', parent]), '-m', message)
  const squashSha = body.squash ? await commit([base], body.squash_commit_message ?? mr.title) : null
  const isForward = state.settings.merge_method === 'ff'
  if (isForward && !body.squash && (await git.forward(base, head)) === null)
    throw new Refusal(405, { message: '405 Method Not Allowed' })
  const mergeSha = isForward ? null : await commit([base, squashSha ?? head], body.merge_commit_message ?? mr.title)
  await git.move(mr.target, mergeSha ?? squashSha ?? head, base)
  mr.locked = state.lockedFor
  Object.assign(mr, { state: 'merged', merged: { mergeSha, squashSha, by: user, at: now(state) } })
  return ok(mrJson(mr))
}
