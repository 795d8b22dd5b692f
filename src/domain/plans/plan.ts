import type { Json } from '../../lib/json.ts'
import type { Place } from './place.ts'

export const ACTIONS = ['create', 'update', 'delete', 'replace', 'read', 'import', 'forget', 'none'] as const
export type Action = (typeof ACTIONS)[number]

/** Why a resource would change: the code changed, an input did, or reality left what was deployed. */
export type Cause = 'config' | 'input' | 'drift'

/**
 * Whom the target itself names as the one who changed something last: a field manager of Kubernetes, the owner of a file. A
 * hint for people, in no digest and no comparison.
 */
export interface ChangedBy {
  how: 'manager' | 'owner'
  who: string
  /** Milliseconds, by the target's clock. */
  at?: number
}

/**
 * One attribute of a resource. `path` is dotted, indexes in brackets: `spec.ports[0].port`, `content`.
 * A sensitive value never leaves the worker: `before`/`after` then hold keyed hashes (`hmac:…`).
 * `unknown`: the value is known only after apply (`after` is absent).
 */
export interface AttributeChange {
  path: string
  before?: Json
  after?: Json
  sensitive?: boolean
  /**
   * Of a sensitive text of several lines, what people may see: how many lines change, or its lines without their secrets
   * (`showSecretDiff`). In no digest and no comparison.
   */
  shown?: string
  unknown?: boolean
  /** Listed under the stack's `unstable:`: shown, but neither part of the digest nor of a comparison. */
  unstable?: boolean
  /** Who set `before`, where the target knows. */
  by?: ChangedBy
}

export interface ResourceChange {
  /** The tool's own address, unique in the plan: `module.db.aws_db_instance.main`, `/etc/nginx/nginx.conf`. */
  address: string
  type: string
  /** Usually one; an import that also updates has two. `none` never stands in a stored plan. */
  actions: Action[]
  attributes: AttributeChange[]
  cause: Cause
  /** The tool's reason, in its words, where it gives one. */
  reason?: string
  /** Where the address was before a move. */
  previousAddress?: string
  /** Of an import or a forget: what the tool takes to import it (again). */
  importId?: string
  /** Who put it there, or changed it, where the target knows it of the whole resource. */
  by?: ChangedBy
}

/**
 * What the tool looked at and what it could not: "in sync" is worth as much as its coverage. Both together are all that was
 * meant to be looked at: what was not reached, for whatever reason, is `unchecked`.
 */
export interface Coverage {
  checked: number
  unchecked: Unchecked[]
}

/** A resource that nobody looked at, with everything below it (`web2` stands for `web2/nginx.conf`); `*` is everything. */
export interface Unchecked {
  address: string
  why: string
  /** A part of the target that did not answer: how it is, is not known. Otherwise the tool cannot look at such a thing. */
  unreachable?: boolean
  /** An error while planning it, which has to be mended or allowed (`unplannable: allow`) before it is deployed. */
  failed?: boolean
  /** How many things it stands for, where that is known; one where absent. */
  count?: number
  /** Digest of the entries that were folded into this one, because there were too many. */
  folded?: string
}

export interface Output {
  value: Json
  sensitive: boolean
  /** Not known before apply. */
  unknown?: boolean
}

export interface Finding {
  severity: 'info' | 'warning' | 'error'
  code?: string
  message: string
  path?: string
  line?: number
}

export interface PlanSummary {
  create: number
  update: number
  delete: number
  replace: number
  other: number
  /** Things looked at, and things that were not; absent where everything was looked at. */
  checked?: number
  unchecked?: number
}

/** What a driver hands over; the engine normalises it and adds digest, cause and summary. */
export interface DriverPlan {
  changes: ResourceChange[]
  coverage: Coverage
  outputs: { [name: string]: Output }
  findings: Finding[]
  /** Tool name → version; only the major version enters the plan digest. */
  toolVersions: { [tool: string]: string }
  /**
   * What the stack manages alone, as it was found at the target: links followed, accounts asked. In no digest. A second
   * stack that is found there is refused, whatever the two call it.
   */
  places?: Place[]
}

/** What applying a commit to a stack would change. */
export interface Plan extends DriverPlan {
  desiredDigest: string
  digest: string
  summary: PlanSummary
}

/** One resource after an apply; `failed` ones carry the tool's message. */
export interface AppliedResource {
  address: string
  actions: Action[]
  status: 'done' | 'failed' | 'skipped'
  message?: string
}

export interface ApplyResult {
  status: 'applied' | 'failed' | 'canceled'
  resources: AppliedResource[]
  outputs: { [name: string]: Output }
  findings: Finding[]
}
