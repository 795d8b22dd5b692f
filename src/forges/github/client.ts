import { z } from 'zod'
import type { Reach, RemotePerson } from '../remote/api.ts'
import { createForgeHttp, type ForgeHttp } from '../remote/http.ts'
import { type AppCredential, credentialOf, HEADERS } from './credentials.ts'

/** The API of GitHub, version 2022-11-28, by its own description: only the fields that are used. */
export const User = z.object({ id: z.number().int(), login: z.string() })
export const Time = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text))
/** What is answered with nothing, or with something that nobody needs. */
export const Anything = z.unknown()
/** Most that a page may have. */
export const PAGE = 100

export const Repository = z.object({
  id: z.number().int(),
  full_name: z.string(),
  default_branch: z.string(),
  private: z.boolean(),
  archived: z.boolean().optional(),
  permissions: z.object({ admin: z.boolean(), push: z.boolean(), pull: z.boolean() }).optional(),
  allow_merge_commit: z.boolean().optional(),
  allow_squash_merge: z.boolean().optional(),
  allow_rebase_merge: z.boolean().optional(),
})

/** One repository, found by its id as long as that is known: it stays when the repository is renamed. */
export interface GitHubClient extends ForgeHttp {
  /** Before every path of REST; GraphQL is at `/graphql`. */
  readonly prefix: string
  /** Address of the repository below the API: `/repos/owner/name`. */
  at(): Promise<string>
  /** That of another one. */
  of(path: string): string
  repository(): Promise<z.infer<typeof Repository>>
  /** For git, beside any name. */
  password(): Promise<string>
  /** Null where a token of an account is used. */
  readonly app: AppCredential | null
}

/** github.com has its API on a host of its own, a server of one's own below its own address. */
const apiOf = (address: string): { api: string; prefix: string } =>
  address === 'https://github.com'
    ? { api: 'https://api.github.com', prefix: '' }
    : { api: `${address}/api`, prefix: '/v3' }

export function createClient({ address, token, clock }: Reach, which: { id: string } | { path: string }): GitHubClient {
  const { api, prefix } = apiOf(address)
  const encoded = (path: string): string => path.split('/').map(encodeURIComponent).join('/')
  const where = 'id' in which ? `/repositories/${encodeURIComponent(which.id)}` : `/repos/${encoded(which.path)}`
  const credential = credentialOf(token, { api, prefix, repository: where, clock })
  const http = createForgeHttp({
    forge: 'GitHub',
    api,
    headers: async () => ({ ...HEADERS, authorization: `Bearer ${await credential.token()}` }),
    clock,
    missing: (_message, headers) =>
      [headers['x-accepted-github-permissions'] ?? headers['x-accepted-oauth-scopes'] ?? []].flat().join('; ') || null,
  })
  let path: string | null = null
  const repository = async () => {
    const found = await http.ask(prefix + where, Repository, { doing: `reading the repository on ${address}` })
    path = found.full_name
    return found
  }
  return {
    ...http,
    prefix,
    repository,
    of: (other) => `${prefix}/repos/${encoded(other)}`,
    at: async () => `${prefix}/repos/${encoded(path ?? (await repository()).full_name)}`,
    password: () => credential.token(),
    app: credential.app,
  }
}

export const personOf = ({ id, login }: z.infer<typeof User>): RemotePerson => ({ id: String(id), name: login })
/** Whose account is gone: GitHub shows all of them as this one. */
export const GHOST: RemotePerson = { id: '10137', name: 'ghost' }
