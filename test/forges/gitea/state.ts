/** What a double of Gitea knows. Names of fields are those of the API's own description. */
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
  author: DoubleUser
  head: string
  base: string
  headSha: string
  isFork: boolean
  /** Heads for which Gitea has found out whether it can be merged. */
  looked: string
  merged: { sha: string; by: DoubleUser; at: string } | null
}

export interface DoubleReview {
  id: number
  number: number
  user: DoubleUser
  state: string
  body: string
  commit_id: string
  dismissed: boolean
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
  config: { url: string; content_type: string; secret: string }
  events: string[]
}

export interface DoubleState {
  users: DoubleUser[]
  /** login → `read`, `write`, `admin`, `owner`. */
  permissions: Map<string, string>
  name: string
  isPrivate: boolean
  pulls: DoublePull[]
  reviews: DoubleReview[]
  comments: DoubleComment[]
  statuses: { sha: string; context: string; state: string; description: string }[]
  hooks: DoubleHook[]
  /** Oldest first. */
  pushes: { user: DoubleUser; branch: string; sha: string }[]
  /** Most that a page has, whatever is asked for (`MAX_RESPONSE_ITEMS`). */
  /** Branch of the outsider's fork → its tip. */
  forks: Map<string, string>
  /** Group, as it is named there → names of its members. */
  groups: Map<string, string[]>
  pageSize: number
  /** Whether answers carry an ETag, as a proxy before a forge may add one. */
  etags: boolean
  /** Milliseconds. */
  begun: number
  /** Seconds of the forge's clock since then; each write takes one. */
  seconds: number
  lastId: number
}

export const newState = (): DoubleState => ({
  users: ['owner', 'trueup-bot', 'author', 'reviewer', 'second', 'outsider'].map((login, at) => ({
    id: at + 11,
    login,
    token: `token-of-${login}`,
  })),
  permissions: new Map([
    ['owner', 'owner'],
    ['trueup-bot', 'admin'],
    ['author', 'write'],
    ['reviewer', 'write'],
    ['second', 'write'],
  ]),
  name: 'shop',
  isPrivate: true,
  pulls: [],
  reviews: [],
  comments: [],
  statuses: [],
  hooks: [],
  pushes: [],
  forks: new Map(),
  groups: new Map(),
  pageSize: 50,
  etags: false,
  begun: Math.floor(Date.now() / 1000) * 1000,
  seconds: 0,
  lastId: 100,
})

/** The forge's clock, which only counts from the time at which it was started: RFC 3339 in whole seconds, as Gitea writes it. */
export function now(state: DoubleState): string {
  state.seconds += 1
  return new Date(state.begun + state.seconds * 1000).toISOString().replace('.000Z', 'Z')
}
