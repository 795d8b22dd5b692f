import type * as Gitea from 'gitea-js'
import type { GitThere } from '../git-there.ts'
import type { PartOf } from '../part-of.ts'
import type { DoubleComment, DoublePull, DoubleReview, DoubleState, DoubleUser } from './state.ts'

/** Answers in the shapes that Gitea's own description gives them (by the types of gitea-js, which are made from it); what is not asked for is left out. */
export const REPOSITORY_ID = 7

export const userJson = ({ id, login }: DoubleUser): PartOf<Gitea.User> => ({
  id,
  login,
  login_name: '',
  full_name: '',
  email: `${login}@noreply.example.test`,
})

export async function repositoryJson({
  state,
  user,
  git,
}: {
  state: DoubleState
  user: DoubleUser
  git: GitThere
}): Promise<PartOf<Gitea.Repository>> {
  const permission = state.permissions.get(user.login) ?? 'none'
  return {
    id: REPOSITORY_ID,
    name: state.name,
    full_name: `owner/${state.name}`,
    default_branch: 'main',
    private: state.isPrivate,
    archived: false,
    empty: (await git.branches()).size === 0,
    has_pull_requests: true,
    permissions: {
      admin: ['admin', 'owner'].includes(permission),
      push: ['write', 'admin', 'owner'].includes(permission),
      pull: permission !== 'none',
    },
    allow_merge_commits: true,
    allow_rebase: true,
    allow_squash_merge: true,
    default_merge_style: 'merge',
  }
}

const DRAFT = /^\s*(?:WIP:|\[WIP\])/i

export async function pullJson(pull: DoublePull, git: GitThere): Promise<PartOf<Gitea.PullRequest>> {
  const baseSha = (await git.tip(pull.base)) ?? '0'.repeat(40)
  const branch = (label: string, ref: string, sha: string, isFork = false) => ({
    label,
    ref,
    sha,
    repo_id: isFork ? REPOSITORY_ID + 1 : REPOSITORY_ID,
    repo: { full_name: isFork ? 'outsider/shop' : 'owner/shop' },
  })
  // Where it keeps the commits of a branch that is gone.
  const headRef = !pull.isFork && (await git.tip(pull.head)) === null ? `refs/pull/${pull.number}/head` : pull.head
  return {
    id: pull.number + 1000,
    number: pull.number,
    title: pull.title,
    body: pull.body,
    state: pull.state,
    draft: DRAFT.test(pull.title),
    user: userJson(pull.author),
    head: branch(pull.head, headRef, pull.headSha, pull.isFork),
    base: branch(pull.base, pull.base, baseSha),
    mergeable: true,
    merged: pull.merged !== null,
    merged_at: pull.merged?.at ?? null,
    merge_commit_sha: pull.merged?.sha ?? null,
    merged_by: pull.merged ? userJson(pull.merged.by) : null,
  }
}

export const reviewJson = ({ user, number: _number, ...review }: DoubleReview): PartOf<Gitea.PullReview> => ({
  ...review,
  user: userJson(user),
  team: null,
  stale: false,
  official: true,
  comments_count: 0,
})

export const commentJson = ({
  user,
  number,
  reactions: _reactions,
  ...comment
}: DoubleComment): PartOf<Gitea.Comment> => ({
  ...comment,
  pull_request_url: `https://elsewhere.example.test/owner/shop/pulls/${number}`,
  issue_url: '',
  user: userJson(user),
  assets: [],
})
