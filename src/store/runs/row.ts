import type { JsonObject } from '../../lib/json.ts'
import type { ErrorBody } from '../../lib/errors/error.ts'
import type { Plan, PlanSummary } from '../../domain/plans/plan.ts'
import type { RunKind, RunState } from '../../domain/runs/run.ts'
import { type FromRow, makeCodec } from '../database/codec.ts'
import type { Database } from '../database/schema.ts'

interface RunJsons {
  error: ErrorBody
  spec: JsonObject
  plan: Plan
  planSummary: PlanSummary
  approvedPlan: Plan
  programs: string[]
}

/** A run with everything it carries. */
export type Run = FromRow<Database['runs'], RunJsons, 'provisional' | 'ready' | 'quiet'>

/** Members that may be megabytes; lists leave them out. */
const HEAVY = ['spec', 'plan', 'approvedPlan', 'checks', 'verify', 'result'] as const
export type RunSummary = Omit<Run, (typeof HEAVY)[number]>

/** What a transition (or `patchRun`) may set besides the state. `plan` sets `planDigest` and `planSummary` too. */
export type RunPatch = Partial<
  Pick<
    Run,
    | 'plan'
    | 'checks'
    | 'verify'
    | 'result'
    | 'approvedDigest'
    | 'approvedPlan'
    | 'approvedById'
    | 'commitOid'
    | 'desiredDigest'
    | 'spec'
    | 'provisional'
    | 'notBefore'
    | 'attempt'
    | 'message'
  >
>

/** A run to be made. Everything else of it starts empty. */
export interface NewRun {
  stackId: string
  repositoryId: string
  kind: RunKind
  commitOid: string
  desiredDigest: string
  spec: JsonObject
  /** Who or what caused it, for the audit: `user:ID`, `system`. */
  actor: string
  id?: string
  /** Worker pool; `default` where absent. */
  pool?: string
  /** Programs of which the worker must have one; any worker will do where absent. */
  programs?: string[]
  /** Id of the person whose share of the slots it takes; the repository's where absent. */
  personId?: string
  /** By kind where absent: deploy and destroy 40, heal 30, preview 20, drift 10. */
  priority?: number
  /** `blocked` for a deploy whose upstream has failed already; `queued` where absent. */
  state?: Extract<RunState, 'queued' | 'blocked'>
  reason?: string
  message?: string
  mrId?: string
  mergeSequence?: number
  /** Runs that must have succeeded before this one is granted. */
  dependsOn?: string[]
  provisional?: boolean
  approvedDigest?: string
  approvedPlan?: Plan
  approvedById?: string
  retryOfRunId?: string
  notBefore?: number
  /** Nobody asked for it: the audit hears of its end only. */
  quiet?: boolean
}

export const RUN_PRIORITY: { readonly [Kind in RunKind]: number } = {
  deploy: 40,
  destroy: 40,
  heal: 30,
  preview: 20,
  drift: 10,
}

export const runCodec = makeCodec<Database['runs'], Run>({
  json: ['error', 'spec', 'plan', 'planSummary', 'checks', 'verify', 'result', 'approvedPlan', 'programs'],
  flags: ['provisional', 'ready', 'quiet'],
})

/** Columns of a RunSummary. */
export const RUN_SUMMARY_COLUMNS = [
  'id',
  'stackId',
  'repositoryId',
  'kind',
  'state',
  'reason',
  'message',
  'errorJson',
  'commitOid',
  'desiredDigest',
  'mrId',
  'mergeSequence',
  'pool',
  'programsJson',
  'share',
  'priority',
  'ready',
  'planDigest',
  'planSummaryJson',
  'approvedDigest',
  'approvedById',
  'provisional',
  'attempt',
  'retryOfRunId',
  'notBefore',
  'workerId',
  'leaseRequest',
  'fence',
  'leaseUntil',
  'cancelRequestedAt',
  'cancelReason',
  'logBase',
  'logSize',
  'movesSeen',
  'createdAt',
  'startedAt',
  'finishedAt',
  'updatedAt',
  'quiet',
  'repeats',
  'repeatedAt',
  'repeatsTold',
] as const satisfies (keyof Database['runs'])[]
