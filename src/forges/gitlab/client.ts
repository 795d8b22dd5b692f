import { z } from 'zod'
import type { Reach, RemotePerson } from '../remote/api.ts'
import { createForgeHttp, type ForgeHttp } from '../remote/http.ts'

/** The API of GitLab, versions 16 to 18, by its documentation: only the fields that are used. */
export const User = z.object({ id: z.number().int(), username: z.string() })
export const Time = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text))
/** What is answered with nothing, or with something that nobody needs. */
export const Anything = z.unknown()
/** Most that a page may have. */
export const PAGE = 100

const Access = z.object({ access_level: z.number().int() }).nullish()
export const Project = z.object({
  id: z.number().int(),
  path_with_namespace: z.string(),
  default_branch: z.string().nullish(),
  archived: z.boolean().optional(),
  permissions: z.object({ project_access: Access, group_access: Access }).optional(),
  merge_requests_access_level: z.string().optional(),
  merge_method: z.string().optional(),
  squash_option: z.string().nullish(),
  merge_trains_enabled: z.boolean().nullish(),
  merge_pipelines_enabled: z.boolean().nullish(),
})

/** One project, by its id as long as that is known: it stays when the project moves. */
export interface GitLabClient extends ForgeHttp {
  /** Address of the project below the API: `/v4/projects/7`. */
  readonly at: string
  project(): Promise<z.infer<typeof Project>>
}

export function createClient({ address, token, clock }: Reach, which: { id: string } | { path: string }): GitLabClient {
  const http = createForgeHttp({
    forge: 'GitLab',
    api: `${address}/api`,
    headers: async () => ({ 'private-token': token }),
    clock,
    // `{"error":"insufficient_scope","error_description":"…","scope":"api"}`
    missing: (message) => (message.includes('insufficient_scope') ? 'the scope api' : null),
  })
  const at = `/v4/projects/${encodeURIComponent('id' in which ? which.id : which.path)}`
  return { ...http, at, project: () => http.ask(at, Project, { doing: `reading the project on ${address}` }) }
}

export const personOf = ({ id, username }: z.infer<typeof User>): RemotePerson => ({ id: String(id), name: username })
