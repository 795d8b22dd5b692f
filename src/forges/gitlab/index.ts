import { request } from 'undici'
import { z } from 'zod'
import type { Adapter, RemoteRepository } from '../remote/api.ts'
import { CAPABILITIES } from './capabilities.ts'
import { changesOf } from './changes.ts'
import { createClient, type GitLabClient, type Project } from './client.ts'
import { commentsOf } from './comments.ts'
import { deploymentsOf } from './deployments.ts'
import { mergingOf } from './merging.ts'
import { DEVELOPER, MAINTAINER, peopleOf } from './people.ts'
import { reviewsOf } from './reviews.ts'
import { statusesOf } from './statuses.ts'
import { trialsOf } from './trials.ts'
import { deliveryOf, webhooksOf } from './webhooks.ts'

/** GitLab, its own or elsewhere. */
export const gitlabAdapter: Adapter = {
  name: 'gitlab',
  can: CAPABILITIES,
  gitUser: 'oauth2',
  headRef: (number) => `refs/merge-requests/${number}/head`,
  groups: true,
  answersAt: isGitLab,
  api(reach, which) {
    const client = createClient(reach, which)
    return {
      repository: () => repositoryOf(client),
      now: () => client.now(),
      limits: () => client.limits(),
      ...changesOf(client),
      ...reviewsOf(client),
      ...commentsOf(client),
      ...statusesOf(client),
      ...trialsOf(client),
      ...deploymentsOf(client),
      ...mergingOf(client),
      ...peopleOf(client),
      ...webhooksOf(client),
    }
  },
  delivery: deliveryOf,
}

/** Without a token GitLab says that one is missing, in JSON; nobody else has anything there. */
async function isGitLab(origin: string): Promise<boolean> {
  if (new URL(origin).hostname === 'gitlab.com') return true
  try {
    const signal = AbortSignal.timeout(DETECT_MS)
    const { statusCode, headers, body } = await request(`${origin}/api/v4/version`, { signal })
    await body.dump()
    return statusCode === 401 && String(headers['content-type']).includes('json')
  } catch {
    return false
  }
}

const DETECT_MS = 10_000
const Token = z.object({ scopes: z.array(z.string()) })

async function repositoryOf(client: GitLabClient): Promise<RemoteRepository> {
  const found = await client.project()
  const token = await client.find('/v4/personal_access_tokens/self', Token, { doing: 'asking what the token may' })
  const { project_access, group_access } = found.permissions ?? {}
  const level = Math.max(project_access?.access_level ?? 0, group_access?.access_level ?? 0)
  const isOff = found.merge_requests_access_level === 'disabled'
  return {
    id: String(found.id),
    path: found.path_with_namespace,
    defaultBranch: found.default_branch ?? 'main',
    missing: [
      ...(token && !token.scopes.includes('api') ? ['use the API (the token lacks the scope api)'] : []),
      ...(level < DEVELOPER ? ['write to the project (it takes the role Developer, and Maintainer to merge)'] : []),
      ...(found.archived ? ['write to it while it is archived'] : []),
      ...(isOff ? ['open merge requests, which are switched off there'] : []),
    ],
    mayHook: level >= MAINTAINER,
    methods: methodsOf(found),
  }
}

function methodsOf(project: z.infer<typeof Project>): RemoteRepository['methods'] {
  const { path_with_namespace: path, merge_method, squash_option, merge_trains_enabled } = project
  const { methods } = CAPABILITIES
  if (merge_trains_enabled) {
    const why = `${path} merges by merge trains: add it to the train on GitLab, and Trueup enacts it when it has arrived`
    return { ...methods, merge: why, squash: why, 'fast-forward': why }
  }
  const off = (what: string): string => `the settings of ${path} do not allow ${what}`
  return {
    ...methods,
    ...(merge_method === 'ff'
      ? { merge: off('merge commits, only fast-forward') }
      : { 'fast-forward': off('merging without a merge commit') }),
    ...(squash_option === 'always' && { 'fast-forward': off('merging without squashing') }),
    ...(squash_option === 'always' && { merge: off('merging without squashing') }),
    ...(squash_option === 'never' && { squash: off('squashing') }),
  }
}
