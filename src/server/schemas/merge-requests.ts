import { z } from 'zod'
import { Time } from './common.ts'
import { Head, Suggestion } from './mr-edits.ts'
import { ErrorBody, PlanSummary, RunState } from './plans.ts'
import { BranchName } from './repositories.ts'
import { Quarantine } from './stacks.ts'

export const MrSummary = z
  .object({
    number: z.number(),
    id: z.string(),
    repository: z.string(),
    title: z.string(),
    state: z.enum(['open', 'merging', 'merged', 'closed']),
    draft: z.boolean(),
    author: z.string(),
    sourceBranch: z.string(),
    targetBranch: z.string(),
    head: z.string(),
    origin: z.string().nullable().meta({ description: 'rollback or codify where Trueup made it' }),
    mergeCommit: z.string().nullable(),
    mergeSequence: z.number().nullable(),
    bypassReason: z.string().nullable(),
    createdAt: Time,
    updatedAt: Time,
  })
  .meta({ id: 'MergeRequestSummary' })
export type MrSummary = z.infer<typeof MrSummary>

const Requirement = z.object({
  name: z.string(),
  environment: z.string().nullable(),
  satisfied: z.boolean(),
  blocking: z.boolean(),
  message: z.string(),
  next: z.string().nullable(),
})

const AffectedStack = z.object({
  stack: z.string(),
  how: z.enum(['added', 'changed', 'removed', 'dependant']),
  driver: z.string(),
  run: z.string().nullable(),
  state: RunState.nullable(),
  digest: z.string().nullable(),
  summary: PlanSummary.nullable(),
  provisional: z.boolean(),
  note: z.string().nullable(),
  policies: z.array(z.object({ name: z.string(), outcome: z.string(), message: z.string() })),
})

export const Review = z
  .object({
    id: z.string(),
    user: z.string(),
    verdict: z.enum(['approve', 'request_changes', 'comment']),
    body: z.string(),
    head: z.string(),
    digests: z.record(z.string(), z.string()),
    droppedAt: Time.nullable(),
    droppedReason: z.string().nullable(),
    createdAt: Time,
  })
  .meta({ id: 'Review' })

export const Comment = z
  .object({
    id: z.string(),
    threadId: z.string(),
    author: z.string().nullable().meta({ description: 'null: Trueup itself' }),
    body: z.string(),
    path: z.string().nullable(),
    line: z.number().nullable(),
    side: z.enum(['old', 'new']).nullable(),
    suggestions: z.array(Suggestion).meta({ description: 'changes of lines that it proposes, which `apply` commits' }),
    resolvedBy: z.string().nullable(),
    resolvedAt: Time.nullable(),
    createdAt: Time,
    updatedAt: Time,
  })
  .meta({ id: 'Comment' })
export type Comment = z.infer<typeof Comment>

export const MrDetail = MrSummary.extend({
  description: z.string(),
  conflicts: z.array(z.string()),
  problems: z.array(ErrorBody),
  /** False while plans are still being made; the gate's word is not final then. */
  planned: z.boolean(),
  mergeable: z.boolean(),
  requirements: z.array(Requirement),
  stacks: z.array(AffectedStack),
  digests: z.record(z.string(), z.string()).meta({ description: 'what an approval given now binds to, by stack' }),
  files: z.string().nullable().meta({
    description: 'digest of the files with code owners, to which an approval by them binds; null where there are none',
  }),
  makers: z
    .array(
      z.object({
        user: z.string(),
        how: z.enum(['author', 'pushed', 'named']),
        commits: z.array(z.string()).meta({ description: 'of those who are only named in commits: these' }),
      }),
    )
    .meta({ description: 'who has a part in it, and so does not approve it' }),
  quarantine: z.array(Quarantine).meta({
    description: 'standing ones: what this rollback has put, or what its own stacks would bring back',
  }),
  /** One commit status per environment. */
  statuses: z.array(
    z.object({ environment: z.string(), state: z.enum(['pending', 'success', 'failure']), description: z.string() }),
  ),
  reviews: z.array(Review),
  mergedBy: z.string().nullable(),
  mergedAt: Time.nullable(),
  /** Merged, and its deployments (if any follow) are ordered: from now on the list of its runs holds them. */
  enacted: z.boolean(),
}).meta({ id: 'MergeRequest' })
export type MrDetail = z.infer<typeof MrDetail>

export const NewMr = z.strictObject({
  sourceBranch: BranchName,
  targetBranch: BranchName.optional(),
  title: z.string().max(250),
  description: z.string().max(50_000).default(''),
  draft: z.boolean().default(false),
})

export const MrEdit = z.strictObject({
  title: z.string().max(250).optional(),
  description: z.string().max(50_000).optional(),
  draft: z.boolean().optional(),
})

export const NewReview = z.strictObject({
  verdict: z.enum(['approve', 'request_changes', 'comment']),
  body: z.string().max(65_536).default(''),
  head: z.string().max(1_000).optional().meta({
    description: 'the head that was looked at, 7 hex digits of it or more; an approval has to say it',
  }),
  digests: z
    .record(z.string(), z.string())
    .optional()
    .meta({ description: 'the digests that were looked at; an approval has to say them' }),
  files: z.string().nullable().optional().meta({ description: 'as the merge request showed it' }),
})

export const NameLift = z.strictObject({
  user: z.string().min(1).max(100),
  reason: z.string().trim().min(1).max(2_000),
})

export const NewComment = z.strictObject({
  body: z.string().max(65_536),
  threadId: z.string().optional(),
  path: z.string().max(4_096).optional(),
  line: z.number().int().min(1).optional(),
  side: z.enum(['old', 'new']).optional(),
  head: Head.optional(),
})

export const MergeOrder = z.strictObject({
  squash: z.boolean().default(false),
  /** Merge although the gate says no: needs the right mr.bypass, is recorded and shown in red. */
  bypassReason: z.string().trim().min(1).max(2_000).optional(),
})

export const FileDiff = z
  .object({
    path: z.string(),
    oldPath: z.string(),
    status: z.string(),
    binary: z.boolean(),
    additions: z.number(),
    deletions: z.number(),
    hunks: z.string(),
    truncated: z.boolean(),
  })
  .meta({ id: 'FileDiff' })

export const Commit = z
  .object({
    oid: z.string(),
    author: z.object({ name: z.string(), email: z.string(), at: Time }),
    message: z.string(),
  })
  .meta({ id: 'Commit' })
