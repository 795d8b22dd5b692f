import { z } from 'zod'
import { ACTIONS } from '../../domain/plans/plan.ts'
import { ChangedBy } from '../../domain/wire/plan-parts.ts'
import { Time } from './common.ts'

export const DRIFT_STATES = ['open', 'healed', 'codified', 'accepted', 'gone'] as const
export const DriftState = z.enum(DRIFT_STATES).meta({ id: 'DriftState' })

/** One attribute of one resource that has left what was deployed. Sensitive values are keyed hashes. */
export const DriftRecord = z
  .object({
    id: z.string(),
    stack: z.string().meta({ description: 'environment/name' }),
    stackId: z.string(),
    address: z.string(),
    attribute: z.string().meta({ description: 'empty for a whole resource' }),
    expected: z.json().nullable(),
    actual: z.json().nullable(),
    actions: z.array(z.enum(ACTIONS)).meta({ description: 'what a heal would do' }),
    state: DriftState,
    since: Time,
    lastSeenAt: Time,
    closedAt: Time.nullable(),
    rightUntil: Time.nullable().meta({
      description: 'the last time that it was known to be as it should be: it changed after that',
    }),
    changedBy: ChangedBy.nullable().meta({
      description:
        'whom the target itself names: a Kubernetes field manager, the owner of a file; null where it does not',
    }),
    healCount: z.number(),
    accepted: z
      .object({ by: z.string().nullable(), reason: z.string(), until: Time.nullable() })
      .nullable()
      .meta({ description: 'until null: without end' }),
    run: z.string().meta({ description: 'the check that saw it last' }),
  })
  .meta({ id: 'DriftRecord' })
export type DriftRecord = z.infer<typeof DriftRecord>

export const StackOrder = z.strictObject({ stack: z.string().max(300).meta({ description: 'environment/name' }) })

export const Acceptance = z.strictObject({
  reason: z.string().trim().min(1).max(2_000),
  /** When it counts as drift again; absent or null: never. */
  until: Time.nullish(),
})
