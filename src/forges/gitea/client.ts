import { z } from 'zod'
import type { Reach, RemotePerson } from '../remote/api.ts'
import { createForgeHttp, type ForgeHttp } from '../remote/http.ts'

/** The API of Gitea and Forgejo, by their own description (`/swagger.v1.json`): only the fields that are used. */
export const User = z.object({ id: z.number().int(), login: z.string() })
export const Time = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text))
/** What is answered with nothing, or with something that nobody needs. */
export const Anything = z.unknown()

export const Repository = z.object({
  id: z.number().int(),
  full_name: z.string(),
  default_branch: z.string(),
  private: z.boolean(),
  archived: z.boolean().optional(),
  /** Without any branch: it answers as if it had no pull requests either. */
  empty: z.boolean().optional(),
  permissions: z.object({ admin: z.boolean(), push: z.boolean(), pull: z.boolean() }).optional(),
  allow_merge_commits: z.boolean().optional(),
  allow_squash_merge: z.boolean().optional(),
  allow_rebase: z.boolean().optional(),
  allow_fast_forward_only_merge: z.boolean().optional(),
  has_pull_requests: z.boolean().optional(),
})

/** One repository, found by its id as long as that is known: it stays when the repository is renamed. */
export interface GiteaClient extends ForgeHttp {
  /** Address of the repository below the API: `/repos/owner/name`. */
  at(): Promise<string>
  /** That of another one. */
  of(path: string): string
  repository(): Promise<z.infer<typeof Repository>>
}

export function createClient({ address, token, clock }: Reach, which: { id: string } | { path: string }): GiteaClient {
  const http = createForgeHttp({
    forge: 'Gitea',
    api: `${address}/api/v1`,
    headers: async () => ({ authorization: `token ${token}` }),
    clock,
    // "token does not have at least one of required scope(s): [write:repository]", with more behind it in newer ones.
    missing: (message) => /required scope\(s\)[:,]?\s*(?:required=)?\[([^\]]*)\]/.exec(message)?.[1] ?? null,
  })
  const encoded = (path: string): string => path.split('/').map(encodeURIComponent).join('/')
  let path: string | null = null
  const repository = async () => {
    const where = 'id' in which ? `/repositories/${encodeURIComponent(which.id)}` : `/repos/${encoded(which.path)}`
    const found = await http.ask(where, Repository, { doing: `reading the repository on ${address}` })
    path = found.full_name
    return found
  }
  return {
    ...http,
    repository,
    of: (other) => `/repos/${encoded(other)}`,
    at: async () => `/repos/${encoded(path ?? (await repository()).full_name)}`,
  }
}

export const personOf = ({ id, login }: z.infer<typeof User>): RemotePerson => ({ id: String(id), name: login })
