import { parse, type ScalarTag, type CollectionTag, YAMLMap } from 'yaml'
import { z } from 'zod'
import { TrueupError } from '../../../lib/errors/error.ts'
import type { Json } from '../../../lib/json.ts'

const value = z.custom<Json>(() => true)

const Event = z.object({
  property: z.string().nullish(),
  previous_value: value.nullish(),
  desired_value: value.nullish(),
  message: z.string().nullish(),
  name: z.string().nullish(),
  status: z.string(),
  redacted: z.boolean().nullish(),
})
export type ReportEvent = z.infer<typeof Event>

/** Whether an event of `ensure` tells of a resource that is not there. A secret one says it by its name (`file_created`). */
export const isMissing = ({ redacted, name, previous_value: previous }: ReportEvent): boolean =>
  redacted ? (name ?? '').endsWith('created') : (previous ?? 'absent') === 'absent' || previous === 'purged'

const Status = z.object({
  title: z.string(),
  resource_type: z.string(),
  file: z.string().nullish(),
  line: z.int().nullish(),
  failed: z.boolean().nullish(),
  failed_to_restart: z.boolean().nullish(),
  changed: z.boolean().nullish(),
  out_of_sync: z.boolean().nullish(),
  skipped: z.boolean().nullish(),
  events: z.array(Event).default([]),
})
export type ResourceStatus = z.infer<typeof Status>

export const LogEntry = z.object({
  level: z.string(),
  message: z.string(),
  source: z.string().nullish(),
  file: z.string().nullish(),
  line: z.int().nullish(),
})
export type LogEntry = z.infer<typeof LogEntry>

/** Puppet's run report, format 12 (Puppet 6 to 8): api/schemas/report.json of its source, by its own names. */
const Report = z.object({
  report_format: z.int(),
  puppet_version: z.string(),
  status: z.string(),
  noop: z.boolean().nullish(),
  transaction_completed: z.boolean().nullish(),
  logs: z.array(LogEntry).default([]),
  resource_statuses: z.record(z.string(), Status),
})
export type Report = z.infer<typeof Report>

/**
 * Reads `last_run_report.yaml`. Its objects carry tags of Ruby, which say nothing that the keys do not.
 * @throws TOOL_OUTPUT where it is no report
 */
export function parseReport(text: string, doing: string): Report {
  try {
    return Report.parse(
      parse(text, {
        customTags: (tags) => [...tags, ...RUBY_OBJECTS, ...BASE64],
        maxAliasCount: -1,
        logLevel: 'error',
      }),
    )
  } catch (cause) {
    throw new TrueupError('TOOL_OUTPUT', { doing, why: "the host's run report is not one Trueup can read", cause })
  }
}

const RUBY_OBJECTS: CollectionTag[] = [
  'Puppet::Transaction::Report',
  'Puppet::Util::Log',
  'Puppet::Util::Metric',
  'Puppet::Resource::Status',
  'Puppet::Transaction::Event',
].map((name) => ({ tag: `!ruby/object:${name}`, collection: 'map', nodeClass: YAMLMap }))

/** Strings that Ruby thinks binary, as `!binary` and not as YAML's own `!!binary`; what is text after all becomes text. */
const BASE64: ScalarTag[] = ['!binary', 'tag:yaml.org,2002:binary'].map((tag) => ({
  tag,
  resolve: (text: string) => Buffer.from(text.replaceAll(/\s/g, ''), 'base64').toString('utf8'),
}))

/** A checksum as text; Puppet writes some of them as base64, without saying so. */
export function plainChecksum(given: Json): Json {
  if (typeof given !== 'string' || !/^[A-Za-z0-9+/\s]{20,}={0,2}\s*$/.test(given)) return given
  const decoded = Buffer.from(given, 'base64').toString('latin1')
  return /^\{(md5|sha\d+|mtime|ctime)\}[0-9a-f]+$/.test(decoded) ? decoded : given
}

const Logs = z.array(LogEntry)

/** The lines of `--logdest FILE.json`, which Puppet leaves without its closing bracket when it is killed. */
export function parseLogs(text: string): LogEntry[] {
  const trimmed = text.trim().replace(/,$/, '')
  for (const candidate of [trimmed, `${trimmed}]`, `[${trimmed}]`]) {
    try {
      return Logs.parse(JSON.parse(candidate)).filter(({ source }) => !isFacterNoise(source))
    } catch {
      // The next spelling.
    }
  }
  return []
}

/** Facter tells as errors what it may not read (the environment of process 1 in containers); the run goes on without. */
const isFacterNoise = (source: string | null | undefined): boolean => source === 'Facter'
