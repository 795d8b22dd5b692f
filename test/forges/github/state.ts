/** What a double of GitHub knows. Names of fields are those of the API's own description. */
export interface DoubleUser {
  id: number
  login: string
  token: string
}

export interface DoublePull {
  number: number
  title: string
  body: string
  state: 'open' | 'closed'
  draft: boolean
  user: DoubleUser
  head: string
  base: string
  headSha: string
  isFork: boolean
  merged: { sha: string; by: DoubleUser; at: string } | null
  /** Heads for which GitHub has found out whether it can be merged. */
  looked: string
}

export interface DoubleReview {
  id: number
  number: number
  user: DoubleUser
  state: string
  body: string
  commit_id: string
  submitted_at: string
}

export interface DoubleComment {
  id: number
  number: number
  user: DoubleUser
  body: string
  /** `NAME of LOGIN` */
  reactions: Set<string>
  created_at: string
  updated_at: string
}

export interface DoubleHook {
  id: number
  config: { url: string; content_type: string; secret: string; insecure_ssl: string }
  events: string[]
}

export interface DoubleApp {
  id: number
  slug: string
  /** Of its key, PEM (SPKI). */
  publicKey: string
  permissions: { [permission: string]: string }
  /** Given so far; the last one counts. */
  tokens: { token: string; expires_at: number }[]
}

export interface DoubleDeployment {
  id: number
  sha: string
  environment: string
  description: string
  production_environment: boolean
  creator: DoubleUser
  /** Oldest first. */
  statuses: { id: number; state: string; description: string; environment: string; creator: DoubleUser }[]
}

export interface DoubleState {
  users: DoubleUser[]
  /** login → `read`, `write`, `admin`. */
  permissions: Map<string, string>
  name: string
  /** Names that it has had: whoever asks for one is sent on. */
  earlier: string[]
  isPrivate: boolean
  app: DoubleApp | null
  pulls: DoublePull[]
  reviews: DoubleReview[]
  comments: DoubleComment[]
  statuses: { sha: string; context: string; state: string; description: string }[]
  deployments: DoubleDeployment[]
  hooks: DoubleHook[]
  /** Oldest first. */
  pushes: { user: DoubleUser; branch: string; sha: string }[]
  /** Branch of the outsider's fork → its tip. */
  forks: Map<string, string>
  /** Group, as it is named there → names of its members. */
  groups: Map<string, string[]>
  pageSize: number
  etags: boolean
  begun: number
  seconds: number
  lastId: number
}

export const newState = (): DoubleState => ({
  users: ['owner', 'trueup-bot', 'author', 'reviewer', 'second', 'outsider'].map((login, at) => ({
    id: at + 31,
    login,
    token: `ghp_of_${login.replace('-', '_')}`,
  })),
  permissions: new Map([
    ['owner', 'admin'],
    ['trueup-bot', 'admin'],
    ['author', 'write'],
    ['reviewer', 'write'],
    ['second', 'write'],
  ]),
  name: 'shop',
  earlier: [],
  isPrivate: true,
  app: null,
  pulls: [],
  reviews: [],
  comments: [],
  statuses: [],
  deployments: [],
  hooks: [],
  pushes: [],
  forks: new Map(),
  groups: new Map(),
  pageSize: 100,
  etags: true,
  begun: Math.floor(Date.now() / 1000) * 1000,
  seconds: 0,
  lastId: 100,
})

/** The forge's clock, which only counts from the time at which it was started: whole seconds, as GitHub writes them. */
export function now(state: DoubleState): string {
  state.seconds += 1
  return new Date(state.begun + state.seconds * 1000).toISOString().replace('.000Z', 'Z')
}
