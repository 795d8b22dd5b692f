import { z } from 'zod'
import type { Json } from '../../../lib/json.ts'
import { TrueupError } from '../../../lib/errors/error.ts'
import { parseExactly } from './exact-json.ts'

/** It came out of a parser, so it is JSON; walking megabytes once more to prove that is not worth its time. */
const value = z.custom<Json>(() => true).optional()

const Change = z.object({
  actions: z.array(z.string()),
  before: value,
  after: value,
  after_unknown: value,
  before_sensitive: value,
  after_sensitive: value,
  replace_paths: z.array(z.array(z.union([z.string(), z.number()]))).optional(),
  importing: z.object({ id: z.string().optional() }).nullish(),
})
export type PlannedChange = z.infer<typeof Change>

const ResourceChange = z.object({
  address: z.string(),
  previous_address: z.string().optional(),
  mode: z.string(),
  type: z.string(),
  deposed: z.string().optional(),
  action_reason: z.string().optional(),
  change: Change,
})
export type PlannedResource = z.infer<typeof ResourceChange>

/** Terraform with deferred actions: a change that this plan cannot hold yet. */
const DeferredChange = z.object({ reason: z.string(), resource_change: ResourceChange })

/** Terraform 1.14+: an action of a provider that an apply of this plan invokes. */
const ActionInvocation = z.object({
  address: z.string(),
  lifecycle_action_trigger: z
    .object({ triggering_resource_address: z.string().default(''), action_trigger_event: z.string().default('') })
    .nullish(),
})

/** An action of something that is itself left for a later plan. */
const DeferredAction = z.object({ reason: z.string(), action_invocation: ActionInvocation })

const Check = z.object({
  address: z.object({ to_display: z.string() }),
  status: z.string(),
  instances: z.array(z.object({ problems: z.array(z.object({ message: z.string() })).optional() })).optional(),
})

const StateModule = z.object({
  resources: z.array(z.object({ mode: z.string(), values: value, sensitive_values: value })).default([]),
  get child_modules() {
    return z.array(StateModule).default([])
  },
})
export type StateModule = z.infer<typeof StateModule>

const ConfigModule = z.object({
  variables: z.record(z.string(), z.object({ sensitive: z.boolean().default(false) })).default({}),
  resources: z
    .array(
      z.object({
        address: z.string(),
        provisioners: z.array(z.object({ type: z.string() })).default([]),
        /** By attribute: what the code gives it. Blocks have shapes of their own. */
        expressions: z.record(z.string(), z.unknown()).default({}),
      }),
    )
    .default([]),
  get module_calls() {
    return z.record(z.string(), z.object({ module: ConfigModule.optional() })).default({})
  },
})
/** A module as the code says it; addresses in it are relative to it, and without keys of instances. */
export type ConfigModule = z.infer<typeof ConfigModule>

/**
 * `show -json PLAN` as far as it is used; unknown members are dropped, an unknown major version is refused.
 * https://developer.hashicorp.com/terraform/internals/json-format
 */
export const PlanJson = z.object({
  format_version: z.string(),
  variables: z.record(z.string(), z.object({ value })).default({}),
  resource_changes: z.array(ResourceChange).default([]),
  resource_drift: z.array(ResourceChange).default([]),
  /** What other parts of the code read of resources. */
  relevant_attributes: z.array(z.object({ resource: z.string() })).default([]),
  deferred_changes: z.array(DeferredChange).default([]),
  action_invocations: z.array(ActionInvocation).default([]),
  deferred_action_invocations: z.array(DeferredAction).default([]),
  output_changes: z.record(z.string(), Change).default({}),
  checks: z.array(Check).default([]),
  /** What was read, data sources among it, which are in no change. */
  prior_state: z.object({ values: z.object({ root_module: StateModule.optional() }).optional() }).default({}),
  configuration: z.object({ root_module: ConfigModule.optional() }).default({}),
  errored: z.boolean().default(false),
  /** Terraform 1.8+: false where resources were left for a later plan. */
  complete: z.boolean().default(true),
})
export type PlanJson = z.infer<typeof PlanJson>

const SUPPORTED_MAJOR = '1'

/** Reads the text of `show -json`. TOOL_OUTPUT where it is not a plan of a known format. */
export function parsePlanJson(text: string): PlanJson {
  const doing = 'reading the plan as JSON'
  let tree: unknown
  try {
    tree = parseExactly(text)
  } catch (cause) {
    throw new TrueupError('TOOL_OUTPUT', { doing, why: 'the tool did not print JSON', cause })
  }
  const version = z.object({ format_version: z.string() }).safeParse(tree).data?.format_version
  if (version?.split('.')[0] !== SUPPORTED_MAJOR) {
    throw new TrueupError('TOOL_OUTPUT', {
      doing,
      why: `its format version is ${version ?? 'missing'}, known is ${SUPPORTED_MAJOR}.x`,
      next: 'Use a tool version that Trueup knows (see docs/drivers/terraform.md), or a newer Trueup.',
    })
  }
  const plan = PlanJson.safeParse(tree)
  if (plan.success) return plan.data
  const [issue] = plan.error.issues
  throw new TrueupError('TOOL_OUTPUT', {
    doing,
    why: `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'unexpected shape'}`,
    cause: plan.error,
  })
}
