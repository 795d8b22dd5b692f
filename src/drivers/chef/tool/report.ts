import { z } from 'zod'
import { TrueupError } from '../../../lib/errors/error.ts'
import type { Json } from '../../../lib/json.ts'

const value = z.custom<Json>(() => true)
const State = z.record(z.string(), value).nullish()

/** One action on one resource, as trueup_report.rb writes it. */
const Entry = z.object({
  resource: z.string(),
  type: z.string(),
  name: z.string(),
  action: z.string(),
  depth: z.int(),
  status: z.enum(['unprocessed', 'updated', 'up_to_date', 'skipped', 'failed']),
  updates: z.array(z.string()),
  sensitive: z.boolean(),
  cookbook: z.string(),
  recipe: z.string(),
  source_line: z.string(),
  wanted: State,
  before: State,
  after: State,
  content: value.nullish(),
  wanted_content: value.nullish(),
  guarded: z.boolean(),
  guards: z.boolean(),
  notified_by: z.string().nullish(),
  bypassed: z.boolean().optional(),
  why: z.string().nullish(),
  error: z.string().nullish(),
})
export type Entry = z.infer<typeof Entry>

const ChefReport = z.object({
  format: z.literal(1),
  chef_version: z.string().nullish(),
  success: z.boolean(),
  converging: z.boolean(),
  failed_file: z.string().nullish(),
  error: z.string().nullish(),
  error_trace: z.array(z.string()).nullish(),
  resources: z.array(Entry),
  assumptions: z.array(z.object({ resource: z.string(), message: z.string() })),
})
export type ChefReport = z.infer<typeof ChefReport>

/** @throws TOOL_OUTPUT */
export function parseReport(text: string, doing: string): ChefReport {
  try {
    return ChefReport.parse(JSON.parse(text))
  } catch (cause) {
    throw new TrueupError('TOOL_OUTPUT', { doing, why: "the run's report is not one Trueup can read", cause })
  }
}
