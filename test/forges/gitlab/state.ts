/** What a double of GitLab knows. Names of fields are those of the API's own documentation. */
export interface DoubleUser {
  id: number
  username: string
  token: string
}

export interface DoubleMr {
  iid: number
  title: string
  description: string
  state: 'opened' | 'closed' | 'merged'
  author: DoubleUser
  source: string
  target: string
  /** Heads that it has had, newest last. */
  versions: { head_commit_sha: string; created_at: string }[]
  isFork: boolean
  merged: { mergeSha: string | null; squashSha: string | null; by: DoubleUser; at: string } | null
  approvals: { user: DoubleUser; approved_at: string }[]
  reviewers: Map<DoubleUser, { state: string; created_at: string }>
  updated_at: string
  /** GitLab still looks so many times whether it can be merged. */
  looking: number
  /** It is shown as `locked` so many times after it was merged: GitLab is still at it. */
  locked: number
}

export interface DoubleNote {
  id: number
  iid: number
  type: string | null
  system: boolean
  author: DoubleUser
  body: string
  awards: Set<string>
  created_at: string
  updated_at: string
}

export interface DoubleStatus {
  id: number
  sha: string
  name: string
  status: string
  description: string
  pipeline_id?: number
}

export interface DoubleDeployment {
  id: number
  sha: string
  environment: { name: string }
  status: string
}

export interface DoubleState {
  users: DoubleUser[]
  /** username → access level. */
  levels: Map<string, number>
  scopes: string[]
  /** `group/sub/shop` */
  path: string
  settings: {
    merge_method: string
    squash_option: string
    merge_trains_enabled: boolean
    merge_pipelines_enabled: boolean
  }
  /** Newest last; of the head of a merge request its `merge` ref, of a car its `train` ref. */
  pipelines: { id: number; iid: number; sha: string; ref: string }[]
  mrs: DoubleMr[]
  notes: DoubleNote[]
  statuses: DoubleStatus[]
  deployments: DoubleDeployment[]
  hooks: { id: number; url: string; token: string }[]
  /** Oldest first. */
  pushes: { author: DoubleUser; branch: string; sha: string }[]
  /** Whether approvals say when they were given, as from 18.4 on. */
  approvedAt: boolean
  /** Branch of the outsider's fork → its tip. */
  forks: Map<string, string>
  /** Group, as it is named there → names of its members. */
  groups: Map<string, string[]>
  pageSize: number
  /** How often a merge is shown as `locked` before it is seen to be through. */
  lockedFor: number
  /** Quick actions that lines of comments and descriptions have commanded, with who has sent them. */
  obeyed: string[]
  begun: number
  seconds: number
  lastId: number
}

export const newState = (): DoubleState => ({
  users: ['owner', 'trueup-bot', 'author', 'reviewer', 'second', 'outsider'].map((username, at) => ({
    id: at + 21,
    username,
    token: `glpat-of-${username}`,
  })),
  levels: new Map([
    ['owner', 50],
    ['trueup-bot', 40],
    ['author', 30],
    ['reviewer', 40],
    ['second', 40],
  ]),
  scopes: ['api'],
  path: 'group/sub/shop',
  settings: {
    merge_method: 'merge',
    squash_option: 'default_off',
    merge_trains_enabled: false,
    merge_pipelines_enabled: false,
  },
  pipelines: [],
  mrs: [],
  notes: [],
  statuses: [],
  deployments: [],
  hooks: [],
  pushes: [],
  approvedAt: true,
  forks: new Map(),
  groups: new Map(),
  pageSize: 100,
  lockedFor: 0,
  obeyed: [],
  begun: Math.floor(Date.now() / 1000) * 1000,
  seconds: 0,
  lastId: 100,
})

/** The forge's clock, which only counts from the time at which it was started; milliseconds, as GitLab writes them. */
export function now(state: DoubleState): string {
  state.seconds += 1
  return new Date(state.begun + state.seconds * 1000).toISOString()
}

/** Takes the lines out that command something, and does so. */
export function withoutActions(state: DoubleState, user: DoubleUser, text: string): string {
  const isAction = (line: string): boolean =>
    /^\/(?:approve|assign|close|label|lock|merge|reopen|title)(?:\s|$)/.test(line)
  for (const line of text.split('\n').filter(isAction)) state.obeyed.push(`${user.username}: ${line}`)
  return text
    .split('\n')
    .filter((line) => !isAction(line))
    .join('\n')
}

export const headOf = (mr: DoubleMr): string => mr.versions.at(-1)?.head_commit_sha ?? ''
