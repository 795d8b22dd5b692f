import { z } from 'zod'
import { RunRequest } from '../../domain/runs/run-request.ts'
import { RUN_KINDS, RUN_STATES } from '../../domain/runs/run.ts'
import {
  AppliedResource,
  AttributeChange,
  CommandResult,
  Coverage,
  ErrorParts,
  Finding,
  Outputs,
  ResourceChange,
  ToolVersions,
} from '../../domain/wire/plan-parts.ts'
import { Time } from './common.ts'

export const RunKind = z.enum(RUN_KINDS).meta({ id: 'RunKind' })
export const RunState = z.enum(RUN_STATES).meta({ id: 'RunState' })

export const ErrorBody = ErrorParts.meta({
  id: 'ErrorBody',
  description: 'What was being done, why it could not be, and the next action.',
})

export const PlanSummary = z
  .object({
    create: z.number(),
    update: z.number(),
    delete: z.number(),
    replace: z.number(),
    other: z.number(),
    checked: z.number().optional().meta({ description: 'things that were looked at' }),
    unchecked: z.number().optional().meta({ description: 'things that were not' }),
  })
  .meta({ id: 'PlanSummary' })

/** A plan as it leaves the server. Values of sensitive outputs and attributes are keyed hashes. */
export const Plan = z
  .object({
    digest: z.string(),
    desiredDigest: z.string(),
    summary: PlanSummary,
    changes: z.array(
      ResourceChange.extend({ attributes: z.array(AttributeChange.extend({ unstable: z.boolean().optional() })) }),
    ),
    outputs: Outputs,
    coverage: Coverage,
    findings: z.array(Finding),
    toolVersions: ToolVersions,
  })
  .meta({ id: 'Plan' })

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
    repeats: z.number().meta({ description: 'later checks of the clock that said exactly the same' }),
    repeatedAt: Time.nullable().meta({ description: 'when the last of them ended' }),
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
  resources: z.array(AppliedResource.omit({ status: true }).extend({ state: AppliedResource.shape.status })),
  dependsOn: z.array(z.string()),
  cancelRequestedAt: Time.nullable(),
  logSize: z.number(),
  /** What a person asked for instead of the whole. */
  request: RunRequest.nullable(),
}).meta({ id: 'Run' })
export type RunDetail = z.infer<typeof RunDetail>

/** A part of a run's log. Offsets are characters (UTF-16 units) of all of it. */
export const RunLog = z
  .object({
    text: z.string(),
    times: z
      .array(z.object({ offset: z.number(), at: Time }))
      .meta({ description: 'from which offset on the text was written when' }),
    next: z.number().meta({ description: 'where to read on' }),
    done: z.boolean().meta({ description: 'the run has ended, and this was the rest' }),
  })
  .meta({ id: 'RunLog' })
export type RunLog = z.infer<typeof RunLog>
