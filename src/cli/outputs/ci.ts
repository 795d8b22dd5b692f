import { z } from 'zod'
import { CommandResult, Place } from '../../domain/wire/plan-parts.ts'
import { ErrorBody, Plan } from '../../server/schemas/plans.ts'

/** What `trueup ci` prints. */

const PipelinePlan = Plan.extend({ places: z.array(Place).optional() }).meta({ id: 'PipelinePlan' })
const stack = z.string().meta({ description: 'environment/name' })

export const CI_OUTPUTS: { readonly [command: string]: z.ZodType } = {
  'ci key': z.object({ key: z.string() }),
  'ci plan': z.object({
    change: z.int().nullable().meta({ description: 'number of the merge request' }),
    head: z.string(),
    target: z.string().nullable().meta({ description: 'commit of the target branch; null without a merge request' }),
    stacks: z.array(
      z.object({
        stack,
        driver: z.string(),
        how: z.enum(['added', 'changed', 'removed', 'downstream', 'pending']),
        plan: PipelinePlan.optional(),
        provisional: z.boolean(),
        policies: z.array(z.object({ name: z.string(), outcome: z.string(), message: z.string() })),
        checks: z.array(CommandResult),
        error: ErrorBody.optional().meta({ description: 'why there is no plan' }),
        later: z
          .string()
          .optional()
          .meta({ description: 'why there is no plan yet: another stack is to be applied first' }),
      }),
    ),
    signed: z.boolean().meta({ description: 'whether `trueup ci apply` takes these plans' }),
    commented: z.boolean().meta({ description: 'whether they stand on the merge request' }),
  }),
  'ci apply': z.object({
    commit: z.string(),
    newest: z.string().meta({ description: 'the newest merge that pipelines are deploying' }),
    stacks: z.array(
      z.object({
        stack,
        state: z.enum(['deployed', 'destroyed', 'unchanged', 'outdated', 'waiting', 'kept', 'failed']),
        plan: PipelinePlan.optional(),
        error: ErrorBody.optional(),
        why: z.string().optional(),
      }),
    ),
  }),
  'ci drift': z.object({
    stacks: z.array(
      z.object({
        stack,
        state: z.enum(['in_sync', 'drifted', 'skipped', 'failed']),
        commit: z.string().nullable().meta({ description: 'commit that is deployed' }),
        plan: PipelinePlan.optional(),
        error: ErrorBody.optional(),
        why: z.string().optional(),
      }),
    ),
  }),
}
