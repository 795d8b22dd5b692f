import { z } from 'zod'
import { TrueupError } from '../../../lib/errors/error.ts'
import type { ManagedFile } from '../../hosts/file-places.ts'
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
  /** Null for what the run list itself came to. */
  notified_by: z.string().nullish(),
  /** Only looked at: in a why-run everything, in a run what is looked at before a `:before` notification. */
  why_run: z.boolean(),
  bypassed: z.boolean().optional(),
  why: z.string().nullish(),
  error: z.string().nullish(),
  error_trace: z.array(z.string()).nullish(),
  /** The error is one of the source, which a run will meet too. */
  definite: z.boolean().optional(),
  /** The recipe says `ignore_failure`. */
  ignored: z.boolean(),
})
export type Entry = z.infer<typeof Entry>

const ChefReport = z.object({
  format: z.literal(2),
  chef_version: z.string().nullish(),
  success: z.boolean(),
  converging: z.boolean(),
  failed_file: z.string().nullish(),
  error: z.string().nullish(),
  error_trace: z.array(z.string()).nullish(),
  /** What the resolver of cookbooks answered. */
  unresolved: z
    .looseObject({
      message: z.string().nullish(),
      non_existent_cookbooks: z.array(z.string()).nullish(),
      cookbooks_with_no_versions: z.array(z.string()).nullish(),
    })
    .nullish(),
  resources: z.array(Entry),
  /** Gems of the cookbooks' metadata that the host does not have; a why-run installs none. */
  gems: z.array(z.string()),
  /** What the witness could not take down. */
  troubles: z.array(z.string()),
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

/** Resources of Chef that write a file, or a link. */
const FILE_TYPES = /^(file|template|cookbook_file|remote_file|link)$/

/** The files that the run came to manage. */
export function filesOf({ resources }: ChefReport): ManagedFile[] {
  return resources.flatMap(({ type, name, status, wanted }) => {
    if (!FILE_TYPES.test(type) || status === 'skipped' || status === 'unprocessed') return []
    const path = wanted?.path ?? wanted?.target_file ?? name
    return typeof path === 'string' ? [{ path, isLink: type === 'link' }] : []
  })
}
