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

const number = z.int()
/** `leftOut`: hosts that the play names and `limit` takes away. */
const PlayEvent = z.object({ event: z.literal('play'), number, name: z.string(), leftOut: z.array(z.string()) })
const TaskEvent = z.object({
  event: z.literal('task'),
  number,
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
  number,
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
  /** An earlier task would change this host, or could not be looked at there. */
  afterPending: z.boolean(),
  /** The task on whose result this one builds, which check mode did not give, and the part of it that does. */
  follows: z.string().nullable(),
  followsIn: z.enum(['loop', 'condition', 'arguments']).nullable(),
  warnings: z.array(z.object({ text: z.string(), deprecation: z.boolean() })),
})
/** Meant to be looked at, and not reached. Without a key, all that is not named of the host; without a host, of the play. */
const MissedEvent = z.object({
  event: z.literal('missed'),
  number,
  host: z.string().nullable(),
  key: z.string().nullable(),
  why: z.string(),
  count: z.number(),
})
/** A play for which no host is there; `known`: its groups and hosts are in the inventory. */
const NowhereEvent = z.object({
  event: z.literal('no_hosts'),
  number,
  name: z.string(),
  pattern: z.string(),
  known: z.boolean(),
  tasks: z.number(),
})
/** Files that the play is about on a host, and what tells which machine that is; null where nothing does. */
const FilesEvent = z.object({
  event: z.literal('files'),
  number,
  host: z.string(),
  connection: z.string().nullable(),
  address: z.string().nullable(),
  port: z.string().nullable(),
  /** Arguments of ssh that lead there. */
  way: z.string(),
  machineId: z.string().nullable(),
  nodename: z.string().nullable(),
  files: z.array(z.object({ path: z.string(), isLink: z.boolean() })),
})
/** A question of `vars_prompt` that was answered with its default, or with nothing. */
const PromptEvent = z.object({ event: z.literal('prompt'), number, name: z.string(), hasDefault: z.boolean() })
const StatsEvent = z.object({
  event: z.literal('stats'),
  number,
  hosts: z.record(z.string(), z.record(z.string(), z.number())),
  /** What `set_stats` said for the whole run. */
  custom: z.record(z.string(), json),
  /** Hosts of all plays, and how many results of each were told. */
  meant: z.array(z.string()),
  counted: z.record(z.string(), z.number()),
})
const Line = z.object({
  trueup: z.discriminatedUnion('event', [
    PlayEvent,
    PromptEvent,
    TaskEvent,
    ResultEvent,
    StatsEvent,
    NowhereEvent,
    MissedEvent,
    FilesEvent,
  ]),
})

export type TaskEvent = z.infer<typeof TaskEvent>
export type ResultEvent = z.infer<typeof ResultEvent>
export type MissedEvent = z.infer<typeof MissedEvent>
export type FilesEvent = z.infer<typeof FilesEvent>
export type NowhereEvent = z.infer<typeof NowhereEvent>
export type PromptEvent = z.infer<typeof PromptEvent>
export type StatsEvent = z.infer<typeof StatsEvent>
export type AnsibleEvent = z.infer<typeof Line>['trueup']

/** The event in one line of output, or null for a line that is something else. Throws where the event has another shape. */
export function parseEvent(line: string): AnsibleEvent | null {
  return line.startsWith('{"trueup": ') ? Line.parse(JSON.parse(line)).trueup : null
}
