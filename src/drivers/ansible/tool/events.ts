import { z } from 'zod'
import type { Json } from '../../../lib/json.ts'

const json = z.custom<Json>(() => true)
const DiffEntry = z.looseObject({
  before: json.optional(),
  after: json.optional(),
  before_header: z.string().nullish(),
  after_header: z.string().nullish(),
  prepared: z.string().nullish(),
})
export type DiffEntry = z.infer<typeof DiffEntry>

const PlayEvent = z.object({ event: z.literal('play'), name: z.string() })
const TaskEvent = z.object({
  event: z.literal('task'),
  /** `ROLE : NAME`, unique in the run. */
  key: z.string(),
  action: z.string(),
  /** File and line. */
  path: z.string().nullable(),
  handler: z.boolean(),
  /** What became of a `check_mode: false` in check mode: run because the stack allows it, or held back. */
  checkOff: z.enum(['ran', 'held']).nullable(),
})
const ResultEvent = z.object({
  event: z.literal('result'),
  key: z.string(),
  action: z.string(),
  path: z.string().nullable(),
  host: z.string(),
  status: z.enum(['ok', 'failed', 'skipped', 'unreachable']),
  changed: z.boolean(),
  /** It changes nothing outside of Ansible itself: facts, includes, messages. */
  control: z.boolean(),
  noLog: z.boolean(),
  /** Failed, and the playbook says `ignore_errors`. */
  ignored: z.boolean(),
  /** Failed inside a block with `rescue`. */
  rescued: z.boolean(),
  /** Skipped because check mode cannot run it. */
  unseen: z.boolean(),
  /** `changed_when: false`. */
  readOnly: z.boolean(),
  subject: z.string().nullable(),
  /** In a loop, the value that it has here, as the only element. */
  item: z.array(json).nullable(),
  diff: z
    .union([z.array(DiffEntry), DiffEntry])
    .nullable()
    .catch(null),
  message: z.string().nullable(),
  /** Skipped by a condition on the result of this task, which check mode did not run. */
  follows: z.string().nullable(),
})
const StatsEvent = z.object({
  event: z.literal('stats'),
  hosts: z.record(z.string(), z.record(z.string(), z.number())),
  /** What `set_stats` said for the whole run. */
  custom: z.record(z.string(), json),
})
const Line = z.object({
  trueup: z.discriminatedUnion('event', [
    PlayEvent,
    TaskEvent,
    ResultEvent,
    StatsEvent,
    z.object({ event: z.literal('no_hosts') }),
  ]),
})

export type TaskEvent = z.infer<typeof TaskEvent>
export type ResultEvent = z.infer<typeof ResultEvent>
export type StatsEvent = z.infer<typeof StatsEvent>
export type AnsibleEvent = z.infer<typeof Line>['trueup']

/** The event in one line of output, or null for a line that is something else. Throws where the event has another shape. */
export function parseEvent(line: string): AnsibleEvent | null {
  return line.startsWith('{"trueup": ') ? Line.parse(JSON.parse(line)).trueup : null
}
