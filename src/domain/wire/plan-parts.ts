import { z } from 'zod'
import { ACTIONS } from '../plans/plan.ts'
import { MAX_SHOWN_CHARS } from '../plans/secret-text.ts'

/** The pieces of plans and results as they travel: from the worker to the server, and from there to its users. */

export const ChangedBy = z.object({
  how: z.enum(['manager', 'owner']),
  who: z.string().max(500),
  at: z.number().optional(),
})

export const AttributeChange = z.object({
  path: z.string(),
  before: z.json().optional(),
  after: z.json().optional(),
  sensitive: z.boolean().optional(),
  shown: z.string().max(MAX_SHOWN_CHARS).optional(),
  unknown: z.boolean().optional(),
  by: ChangedBy.optional(),
})

export const ResourceChange = z.object({
  address: z.string(),
  type: z.string(),
  actions: z.array(z.enum(ACTIONS)),
  attributes: z.array(AttributeChange),
  cause: z.enum(['config', 'input', 'drift']),
  reason: z.string().optional(),
  previousAddress: z.string().optional(),
  importId: z.string().optional(),
  by: ChangedBy.optional(),
})

export const Finding = z.object({
  severity: z.enum(['info', 'warning', 'error']),
  code: z.string().optional(),
  message: z.string(),
  path: z.string().optional(),
  line: z.number().optional(),
})

export const Unchecked = z.object({
  address: z.string(),
  why: z.string(),
  unreachable: z.boolean().optional(),
  failed: z.boolean().optional(),
  count: z.number().optional(),
  folded: z.string().optional(),
})

export const Coverage = z.object({ checked: z.number(), unchecked: z.array(Unchecked) })

export const Outputs = z.record(
  z.string(),
  z.object({ value: z.json(), sensitive: z.boolean(), unknown: z.boolean().optional() }),
)

export const ToolVersions = z.record(z.string(), z.string())

export const AppliedResource = z.object({
  address: z.string(),
  actions: z.array(z.enum(ACTIONS)),
  status: z.enum(['done', 'failed', 'skipped']),
  message: z.string().optional(),
})

export const Place = z.object({
  address: z.string().max(8_192),
  except: z.array(z.string()).optional(),
  shared: z.boolean().optional(),
})

/** What was being done, why it could not be, and the next action. */
export const ErrorParts = z.object({
  code: z.string(),
  doing: z.string(),
  why: z.string(),
  next: z.string(),
  details: z.record(z.string(), z.json()).optional(),
})

/** Result of one of the user's `checks:` or `verify:` commands. `output` is the masked tail, at most 64 KiB. */
export const CommandResult = z.object({
  name: z.string(),
  ok: z.boolean(),
  exitCode: z.number().nullable(),
  output: z.string(),
  durationMs: z.number(),
})
export type CommandResult = z.infer<typeof CommandResult>
