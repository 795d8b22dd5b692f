import type { Role } from '../../domain/roles.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Can, Capabilities, MergeMethod } from '../capabilities.ts'
import type { CommitStatus, ForgeDeployment, ForgeName, Sign } from '../forge.ts'
import type { Limits } from './limits.ts'

/** Somebody on a forge. `id` is never given to anybody else; `name` can be changed. */
export interface RemotePerson {
  id: string
  name: string
}

export interface RemoteRepository {
  id: string
  /** `owner/name` as it is now. */
  path: string
  defaultBranch: string
  /** What the token may not do here and has to; empty where all is well. */
  missing: string[]
  /** May make webhooks. */
  mayHook: boolean
  methods: { readonly [method in MergeMethod]: Can }
}

/** A merge request as the forge has it. Only those from the repository itself. */
export interface RemoteChange {
  number: number
  title: string
  description: string
  draft: boolean
  /** `merging`: the forge is at it, and will say what came of it. */
  state: 'open' | 'merging' | 'merged' | 'closed'
  sourceBranch: string
  targetBranch: string
  headOid: string
  author: RemotePerson
  isFork: boolean
  /** Of one from a fork: that repository, as `pusher` takes it; null where it is gone. */
  source?: string | null
  mergeOid: string | null
  mergedBy: RemotePerson | null
  /** Milliseconds. */
  mergedAt: number | null
}

/** A commit that the forge has made of a merge request, to be tried before it is merged. */
export interface RemoteTrial {
  number: number
  /** `queued`: in a merge queue or a train. `tried`: what merging it now would give. */
  kind: 'queued' | 'tried'
  headOid: string
  /** The commit that it was merged with, where only a name says that it is of this one; absent where the forge itself does. */
  baseOid?: string
  /** The pipeline that a status of it belongs to, where several may be of one commit. */
  pipeline?: string
}

/** A review that counts at the moment, or says nothing. Superseded and dismissed ones are not among them. */
export interface RemoteReview {
  id: string
  person: RemotePerson
  verdict: 'approve' | 'request_changes' | 'comment'
  headOid: string
  body: string
  /** When it was given, milliseconds of the forge's clock. */
  at: number
}

export interface RemoteComment {
  id: string
  person: RemotePerson
  body: string
  createdAt: number
  updatedAt: number
}

export interface RemoteDeployment extends ForgeDeployment {
  commitOid: string
  branch: string
  /** Where Trueup tells more of it. */
  url?: string
}

export interface MergeOrder {
  headOid: string
  method: MergeMethod
  title: string
  message: string
}

/** One repository of a forge, in words that all forges share. Every call asks the forge. Errors: FORGE_*. */
export interface RemoteApi {
  repository(): Promise<RemoteRepository>
  me(): Promise<RemotePerson>
  /** For git, where that is not the token of the connection itself. */
  password?(): Promise<string>
  roleOf(person: RemotePerson): Promise<Role | null>
  /** Ids of those in a group or team of the forge. FORGE_GONE where there is none, or none to be seen. */
  groupMembers(name: string): Promise<string[]>
  /** Branch → commit, as far as the forge has heard: Git itself may know better. */
  branches(): Promise<Map<string, string>>
  openChanges(): Promise<RemoteChange[]>
  change(number: number): Promise<RemoteChange | null>
  /** The one that was merged as this commit; null where there is none. */
  changeMergedAs(commitOid: string): Promise<RemoteChange | null>
  create(change: {
    sourceBranch: string
    targetBranch: string
    title: string
    description: string
    draft: boolean
  }): Promise<RemoteChange>
  edit(
    now: RemoteChange,
    edit: { title?: string; description?: string; draft?: boolean; state?: 'open' | 'closed' },
  ): Promise<RemoteChange>
  /** Who has pushed this commit as the tip of this branch (of another repository); null where the forge does not say (yet). */
  pusher(branch: string, headOid: string, source?: string): Promise<RemotePerson | null>
  /** Accounts that the forge has found for the names in its commits, by commit. */
  committers(number: number): Promise<{ oid: string; people: RemotePerson[] }[]>
  reviews(number: number): Promise<RemoteReview[]>
  comments(number: number): Promise<RemoteComment[]>
  addComment(number: number, body: string): Promise<RemoteComment>
  /** Comments on merge requests that were written or changed since a time of the forge's clock, oldest first. */
  commentsSince(since: number): Promise<{ number: number; comment: RemoteComment }[]>
  /** False where the comment is gone. The same sign twice is one. */
  signComment(number: number, id: string, sign: Sign): Promise<boolean>
  /** Null where it is gone. */
  editComment(number: number, id: string, body: string): Promise<RemoteComment | null>
  setStatus(headOid: string, status: CommitStatus & { url?: string; pipeline?: string }): Promise<void>
  /** Commits on which merge requests are tried; `branches`: as the mirror has them. Absent where the forge makes none. */
  trials?(branches: ReadonlyMap<string, string>): Promise<RemoteTrial[]>
  /**
   * Shows a deployment: the one with this id, or a new one where that is null. Gives its id. Absent where the forge has none.
   */
  setDeployment?(id: string | null, deployment: RemoteDeployment): Promise<string>
  /** Returns when the forge has said yes; FORGE_REFUSED with what it said otherwise. */
  merge(number: number, order: MergeOrder): Promise<void>
  /** Makes the webhook, and removes others with this address. Gives its id. */
  hook(url: string, secret: string): Promise<string>
  unhook(id: string): Promise<void>
  /** Milliseconds of the forge's own clock. */
  now(): number
  limits(): Limits | null
}

/** A delivery of a webhook: whose secret it was made with, and which it is. */
export interface Delivery {
  /** The forge's id of it. */
  id: string
  /** Whether it was made with this secret. Compares in constant time. */
  isOf(secret: string): boolean
}

export interface Reach {
  address: string
  token: string
  clock: Clock
}

/** One kind of forge: how its API is spoken. */
export interface Adapter {
  readonly name: Exclude<ForgeName, 'builtin'>
  readonly can: Capabilities
  /** Repositories lie in groups of groups, so that all of an address's path is theirs; otherwise its last two parts. */
  readonly groups: boolean
  /** Whether this is what answers at an address (`https://git.example.test`); asked without a token. */
  readonly answersAt: (origin: string) => Promise<boolean>
  /** Where the forge keeps the head of a merge request, also of one from a fork. */
  readonly headRef: (number: number) => string
  /** User name beside the token for git over HTTP. */
  readonly gitUser: string
  /** The API of the repository with this id, or at this path where it is not known yet. */
  api(reach: Reach, repository: { id: string } | { path: string }): RemoteApi
  /** Null where the headers are not of a delivery. */
  delivery(headers: { [name: string]: string | string[] | undefined }, body: Buffer): Delivery | null
}
