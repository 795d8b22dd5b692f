import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { TrueupError } from '../../lib/errors/error.ts'
import type { ForgeKind } from './forge-kinds.ts'
import type { PipelinePlace } from '../../forges/pipeline.ts'

/** CI systems whose variables are known; everything else says by options what they would. */
export type CiSystem = 'gitlab' | 'github' | 'gitea' | 'shell'

/** What the CI system says of the job. */
export interface Surroundings {
  system: CiSystem
  /** Names this repository in what is signed: `gitlab.example.org/group/shop`; empty where nobody says. */
  repository: string
  /** Number of the merge request that the job is about; null where it is about none. */
  change: number | null
  /** The head that somebody pushed, not a merge that the CI system has made of it; null where it says none. */
  head: string | null
  /** Branch that the merge request goes to. */
  target: string | null
  /** Null without a token. */
  place: PipelinePlace | null
}

/** Given by options, which win over what the CI system says. */
export interface Told {
  change?: number
  repository?: string
  forge?: ForgeKind
  /** Of the repository. */
  forgeUrl?: string
}

/** Names the variable with a token of the forge, for comments and for what pipelines keep. */
export const TOKEN_VARIABLE = 'TRUEUP_CI_TOKEN'

const PullRequest = z.object({
  pull_request: z.object({
    number: z.int(),
    head: z.object({ sha: z.string() }),
    base: z.object({ ref: z.string() }),
  }),
})

/** Reads the variables of GitLab CI, GitHub Actions and Gitea Actions. */
export function surroundingsOf(env: NodeJS.ProcessEnv, told: Told = {}): Surroundings {
  const found =
    env.GITLAB_CI === 'true' ? ofGitLab(env) : env.GITHUB_ACTIONS || env.GITEA_ACTIONS ? ofActions(env) : SHELL
  return {
    ...found,
    ...toldPlace(env, told),
    ...(told.change !== undefined && { change: told.change }),
    ...(told.repository !== undefined && { repository: told.repository }),
  }
}

/** INVALID_REQUEST where it is only half told. */
function toldPlace(env: NodeJS.ProcessEnv, { forge, forgeUrl }: Told): Partial<Surroundings> {
  if (forge === undefined && forgeUrl === undefined) return {}
  const doing = 'reading --forge and --forge-url'
  const url = URL.parse(forgeUrl ?? '')
  const path = url?.pathname.replace(/^\/+|\/+$|\.git\/*$/g, '') ?? ''
  if (forge === undefined || url === null || !path.includes('/'))
    throw new TrueupError('INVALID_REQUEST', {
      doing,
      why: 'both are needed, and the address of a repository',
      next: 'Such as --forge gitlab --forge-url https://gitlab.example.org/group/shop.',
    })
  const token = env[TOKEN_VARIABLE]
  return {
    repository: `${url.host}/${path}`,
    place: token ? { forge, address: url.origin, path, token } : null,
  }
}

/** https://docs.gitlab.com/ci/variables/predefined_variables/ */
function ofGitLab(env: NodeJS.ProcessEnv): Surroundings {
  const address = (env.CI_SERVER_URL ?? 'https://gitlab.com').replace(/\/+$/, '')
  const path = env.CI_PROJECT_PATH ?? ''
  const iid = Number(env.CI_MERGE_REQUEST_IID ?? '')
  const change = Number.isInteger(iid) && iid > 0 ? iid : null
  const token = env[TOKEN_VARIABLE]
  return {
    system: 'gitlab',
    repository: `${hostOf(address)}/${path}`,
    change,
    // In a pipeline of merged results CI_COMMIT_SHA is the merge; this one is set in those only.
    head: env.CI_MERGE_REQUEST_SOURCE_BRANCH_SHA || env.CI_COMMIT_SHA || null,
    target: change === null ? null : (env.CI_MERGE_REQUEST_TARGET_BRANCH_NAME ?? null),
    place: token && path ? { forge: 'gitlab', address, path, token } : null,
  }
}

/** https://docs.github.com/actions/reference/workflows-and-actions/variables; Gitea has the same, and GITEA_ACTIONS. */
function ofActions(env: NodeJS.ProcessEnv): Surroundings {
  const forge = env.GITEA_ACTIONS ? 'gitea' : 'github'
  const address = (env.GITHUB_SERVER_URL ?? 'https://github.com').replace(/\/+$/, '')
  const path = env.GITHUB_REPOSITORY ?? ''
  const token = env[TOKEN_VARIABLE] || env.GITHUB_TOKEN || env.GITEA_TOKEN
  const pull = pullRequestOf(env.GITHUB_EVENT_PATH)
  return {
    system: forge,
    repository: `${hostOf(address)}/${path}`,
    change: pull?.number ?? null,
    // GITHUB_SHA is a merge that GitHub has made for the event.
    head: pull?.head.sha ?? env.GITHUB_SHA ?? null,
    target: pull?.base.ref ?? null,
    place: token && path ? { forge, address, path, token } : null,
  }
}

const SHELL: Surroundings = {
  system: 'shell',
  repository: '',
  change: null,
  head: null,
  target: null,
  place: null,
}

function pullRequestOf(file: string | undefined) {
  if (!file) return undefined
  try {
    return PullRequest.safeParse(JSON.parse(readFileSync(file, 'utf8'))).data?.pull_request
  } catch {
    // An event of another kind, or none at all.
    return undefined
  }
}

const hostOf = (address: string): string => URL.parse(address)?.host ?? address
