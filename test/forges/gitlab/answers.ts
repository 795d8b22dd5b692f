import type { DoubleMr, DoubleNote, DoubleState, DoubleUser } from './state.ts'
import { headOf } from './state.ts'

/** Answers in the shapes that GitLab's own documentation gives them; what is not asked for is left out. */
export const PROJECT_ID = 9

export const userJson = ({ id, username }: DoubleUser) => ({ id, username, name: username, state: 'active' })

export const projectJson = (state: DoubleState, user: DoubleUser) => {
  const level = state.levels.get(user.username)
  return {
    id: PROJECT_ID,
    path_with_namespace: state.path,
    default_branch: 'main',
    archived: false,
    merge_requests_access_level: 'enabled',
    ...state.settings,
    permissions: { project_access: level === undefined ? null : { access_level: level }, group_access: null },
  }
}

const DRAFT = /^\s*(?:\[draft\]|\(draft\)|draft:)/i

export const mrJson = (mr: DoubleMr) => ({
  id: mr.iid + 1000,
  iid: mr.iid,
  title: mr.title,
  description: mr.description,
  state: mr.state === 'merged' && mr.locked-- > 0 ? 'locked' : mr.state,
  draft: DRAFT.test(mr.title),
  source_branch: mr.source,
  target_branch: mr.target,
  source_project_id: mr.isFork ? PROJECT_ID + 1 : PROJECT_ID,
  target_project_id: PROJECT_ID,
  sha: headOf(mr) || null,
  author: userJson(mr.author),
  merge_commit_sha: mr.merged?.mergeSha ?? null,
  squash_commit_sha: mr.merged?.squashSha ?? null,
  merge_user: mr.merged ? userJson(mr.merged.by) : null,
  merged_at: mr.merged?.at ?? null,
  updated_at: mr.updated_at,
  detailed_merge_status: mr.looking-- > 0 ? 'checking' : 'mergeable',
})

export const noteJson = ({ author, iid, awards: _awards, ...note }: DoubleNote) => ({
  ...note,
  author: userJson(author),
  noteable_type: 'MergeRequest',
  noteable_iid: iid,
  resolvable: false,
})
