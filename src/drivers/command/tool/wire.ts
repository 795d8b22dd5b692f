import { z } from 'zod'
import { ACTIONS } from '../../../domain/plans/plan.ts'

/** One attribute as programs write it; sensitive values in clear, since only the worker can hash them. */
export const AttributeMessage = z.strictObject({
  path: z.string().min(1).max(1_000),
  before: z.json().optional(),
  after: z.json().optional(),
  sensitive: z.boolean().optional(),
  unknown: z.boolean().optional(),
})

/** One change as programs write it. `resource` is the kind of thing that changes. */
export const ChangeMessage = z.strictObject({
  address: z.string().min(1).max(1_000),
  resource: z.string().min(1).max(200).default('resource'),
  actions: z.array(z.enum(ACTIONS)).min(1).max(3),
  attributes: z.array(AttributeMessage).max(10_000).default([]),
  cause: z.enum(['config', 'input', 'drift']).optional(),
  reason: z.string().max(10_000).optional(),
  previousAddress: z.string().max(1_000).optional(),
})
export type ChangeMessage = z.infer<typeof ChangeMessage>

export const CoverageMessage = z.strictObject({
  checked: z.int().min(0),
  unchecked: z
    .array(
      z.strictObject({
        address: z.string(),
        why: z.string(),
        /** It did not answer; or an error kept it from being planned, which blocks the approval. */
        unreachable: z.boolean().optional(),
        failed: z.boolean().optional(),
        /** How many things it stands for. */
        count: z.int().min(1).optional(),
      }),
    )
    .default([]),
})

export const FindingMessage = z.strictObject({
  severity: z.enum(['info', 'warning', 'error']),
  message: z.string(),
  code: z.string().optional(),
  path: z.string().optional(),
  line: z.int().optional(),
})

/** `{"value": …, "sensitive": true}`. */
export const OutputMessage = z.strictObject({
  value: z.json(),
  sensitive: z.boolean().default(false),
  unknown: z.boolean().optional(),
})
