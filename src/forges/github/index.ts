import { request } from 'undici'
import type { Adapter, RemoteRepository } from '../remote/api.ts'
import { CAPABILITIES } from './capabilities.ts'
import { changesOf } from './changes.ts'
import { createClient, type GitHubClient } from './client.ts'
import { commentsOf } from './comments.ts'
import { deploymentsOf } from './deployments.ts'
import { mergingOf } from './merging.ts'
import { peopleOf } from './people.ts'
import { reviewsOf } from './reviews.ts'
import { statusesOf } from './statuses.ts'
import { trialsOf } from './trials.ts'
import { deliveryOf, webhooksOf } from './webhooks.ts'

/** github.com, and GitHub Enterprise Server. */
export const githubAdapter: Adapter = {
  name: 'github',
  can: CAPABILITIES,
  gitUser: 'x-access-token',
  headRef: (number) => `refs/pull/${number}/head`,
  groups: false,
  answersAt: isGitHub,
  api(reach, which) {
    const client = createClient(reach, which)
    return {
      repository: () => repositoryOf(client),
      password: () => client.password(),
      now: () => client.now(),
      limits: () => client.limits(),
      ...changesOf(client),
      ...reviewsOf(client),
      ...commentsOf(client),
      ...statusesOf(client),
      ...trialsOf(),
      ...deploymentsOf(client),
      ...mergingOf(client),
      ...peopleOf(client),
      ...webhooksOf(client),
    }
  },
  delivery: deliveryOf,
}

const DETECT_MS = 10_000

/** A server of one's own says which version it is in every answer. */
async function isGitHub(origin: string): Promise<boolean> {
  if (origin === 'https://github.com') return true
  try {
    const signal = AbortSignal.timeout(DETECT_MS)
    const { headers, body } = await request(`${origin}/api/v3/meta`, { signal, headers: { 'user-agent': 'trueup' } })
    await body.dump()
    return headers['x-github-enterprise-version'] !== undefined || headers['x-github-request-id'] !== undefined
  } catch {
    return false
  }
}

/** What an App has to be given, by the names of GitHub. */
const PERMISSIONS: { readonly [permission: string]: string } = {
  contents: 'read and write (contents)',
  pull_requests: 'open, edit and merge pull requests (pull_requests: write)',
  statuses: 'set commit statuses (statuses: write)',
}

async function repositoryOf(client: GitHubClient): Promise<RemoteRepository> {
  const found = await client.repository()
  const { methods } = CAPABILITIES
  const granted = await client.app?.permissions()
  const lacking = granted
    ? Object.entries(PERMISSIONS).flatMap(([name, what]) => (granted[name] === 'write' ? [] : [what]))
    : found.permissions?.push
      ? []
      : ['write to the repository']
  const off = (method: string): string => `the settings of ${found.full_name} do not allow ${method}`
  return {
    id: String(found.id),
    path: found.full_name,
    defaultBranch: found.default_branch,
    missing: [...lacking, ...(found.archived ? ['write to it while it is archived'] : [])],
    mayHook: granted ? granted['repository_hooks'] === 'write' : (found.permissions?.admin ?? false),
    methods: {
      ...methods,
      merge: found.allow_merge_commit === false ? off('merge commits') : methods.merge,
      squash: found.allow_squash_merge === false ? off('squashing') : methods.squash,
      rebase: found.allow_rebase_merge === false ? off('rebasing') : methods.rebase,
    },
  }
}
