import type { Adapter, RemoteRepository } from '../remote/api.ts'
import { CAPABILITIES } from './capabilities.ts'
import { changesOf } from './changes.ts'
import { createClient, type Repository } from './client.ts'
import { commentsOf } from './comments.ts'
import { mergingOf } from './merging.ts'
import { peopleOf } from './people.ts'
import { reviewsOf } from './reviews.ts'
import { statusesOf } from './statuses.ts'
import { deliveryOf, webhooksOf } from './webhooks.ts'
import type { z } from 'zod'

/** Gitea and Forgejo, which answer alike in all that is asked here. */
export const giteaAdapter: Adapter = {
  name: 'gitea',
  can: CAPABILITIES,
  gitUser: 'oauth2',
  headRef: (number) => `refs/pull/${number}/head`,
  groups: false,
  // What is nothing else; its own answers say what is wrong where it is not this either.
  answersAt: async () => true,
  api(reach, which) {
    const client = createClient(reach, which)
    return {
      repository: async () => repositoryOf(await client.repository()),
      now: () => client.now(),
      limits: () => client.limits(),
      ...changesOf(client),
      ...reviewsOf(client),
      ...commentsOf(client),
      ...statusesOf(client),
      ...mergingOf(client),
      ...peopleOf(client),
      ...webhooksOf(client),
    }
  },
  delivery: deliveryOf,
}

function repositoryOf(found: z.infer<typeof Repository>): RemoteRepository {
  const { permissions, methods } = { permissions: found.permissions, methods: CAPABILITIES.methods }
  const off = (style: string): string => `the settings of ${found.full_name} do not allow ${style}`
  return {
    id: String(found.id),
    path: found.full_name,
    defaultBranch: found.default_branch,
    missing: [
      ...(permissions?.push ? [] : ['write to the repository']),
      // Gitea tells nobody else.
      ...(permissions?.admin ? [] : ['ask what people may (it takes an administrator of the repository)']),
      ...(found.archived ? ['write to it while it is archived'] : []),
      ...(found.has_pull_requests === false ? ['open pull requests, which are switched off there'] : []),
    ],
    mayHook: permissions?.admin ?? false,
    methods: {
      ...methods,
      merge: found.allow_merge_commits === false ? off('merge commits') : methods.merge,
      squash: found.allow_squash_merge === false ? off('squashing') : methods.squash,
      rebase: found.allow_rebase === false ? off('rebasing') : methods.rebase,
      'fast-forward':
        found.allow_fast_forward_only_merge === false ? off('fast-forward merges') : methods['fast-forward'],
    },
  }
}
