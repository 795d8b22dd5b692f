import { z } from 'zod'
import { ACTIONS } from '../../domain/plan.ts'
import { RUN_KINDS, RUN_STATES } from '../../domain/run.ts'
import { Time } from './common.ts'

export const RunKind = z.enum(RUN_KINDS).meta({ id: 'RunKind' })
export const RunState = z.enum(RUN_STATES).meta({ id: 'RunState' })

export const ErrorBody = z
  .object({
    code: z.string(),
    doing: z.string(),
    why: z.string(),
    next: z.string(),
    details: z.record(z.string(), z.json()).optional(),
  })
  .meta({ id: 'ErrorBody', description: 'What was being done, why it could not be, and the next action.' })

export const PlanSummary = z
  .object({
    create: z.number(),
    update: z.number(),
    delete: z.number(),
    replace: z.number(),
    other: z.number(),
  })
  .meta({ id: 'PlanSummary' })

const AttributeChange = z.object({
  path: z.string(),
  before: z.json().optional(),
  after: z.json().optional(),
  sensitive: z.boolean().optional(),
  unknown: z.boolean().optional(),
  unstable: z.boolean().optional(),
})

/** A plan as it leaves the server. Values of sensitive outputs and attributes are keyed hashes. */
export const Plan = z
  .object({
    digest: z.string(),
    desiredDigest: z.string(),
    summary: PlanSummary,
    changes: z.array(
      z.object({
        address: z.string(),
        type: z.string(),
        actions: z.array(z.enum(ACTIONS)),
        attributes: z.array(AttributeChange),
        cause: z.enum(['config', 'input', 'drift']),
        reason: z.string().optional(),
        previousAddress: z.string().optional(),
      }),
    ),
    outputs: z.record(
      z.string(),
      z.object({ value: z.json(), sensitive: z.boolean(), unknown: z.boolean().optional() }),
    ),
    coverage: z.object({
      checked: z.number(),
      unchecked: z.array(z.object({ address: z.string(), why: z.string() })),
    }),
    findings: z.array(
      z.object({
        severity: z.enum(['info', 'warning', 'error']),
        code: z.string().optional(),
        message: z.string(),
        path: z.string().optional(),
        line: z.number().optional(),
      }),
    ),
    toolVersions: z.record(z.string(), z.string()),
  })
  .meta({ id: 'Plan' })

export const CommandResult = z.object({
  name: z.string(),
  ok: z.boolean(),
  exitCode: z.number().nullable(),
  output: z.string(),
  durationMs: z.number(),
})

export const RunSummary = z
  .object({
    id: z.string(),
    kind: RunKind,
    state: RunState,
    reason: z.string().nullable(),
    message: z.string().nullable(),
    repository: z.string(),
    stack: z.string().meta({ description: 'environment/name' }),
    stackId: z.string(),
    commit: z.string(),
    mr: z.number().nullable().meta({ description: 'number of the merge request' }),
    mergeSequence: z.number().nullable(),
    planDigest: z.string().nullable(),
    summary: PlanSummary.nullable(),
    provisional: z.boolean(),
    attempt: z.number(),
    retryOf: z.string().nullable(),
    notBefore: Time.nullable(),
    worker: z.string().nullable(),
    createdAt: Time,
    startedAt: Time.nullable(),
    finishedAt: Time.nullable(),
  })
  .meta({ id: 'RunSummary' })
export type RunSummary = z.infer<typeof RunSummary>

export const RunDetail = RunSummary.extend({
  error: ErrorBody.nullable(),
  plan: Plan.nullable(),
  approvedDigest: z.string().nullable(),
  approvedBy: z.string().nullable(),
  /** How the plan differs from the approved one, while the run waits for an approval. */
  differences: z.array(z.string()),
  checks: z.array(CommandResult),
  verify: z.array(CommandResult),
  /** What an apply did, resource by resource; empty before. */
  resources: z.array(
    z.object({
      address: z.string(),
      actions: z.array(z.enum(ACTIONS)),
      status: z.enum(['done', 'failed', 'skipped']),
      message: z.string().optional(),
    }),
  ),
  dependsOn: z.array(z.string()),
  cancelRequestedAt: Time.nullable(),
  logSize: z.number(),
}).meta({ id: 'Run' })
export type RunDetail = z.infer<typeof RunDetail>
