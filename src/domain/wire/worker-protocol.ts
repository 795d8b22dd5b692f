import { z } from 'zod'
import { RunRequest } from '../runs/run-request.ts'
import { ToolsFound } from '../runs/programs.ts'
import { RUN_KINDS } from '../runs/run.ts'
import {
  AppliedResource,
  CommandResult,
  Coverage,
  ErrorParts,
  Finding,
  Outputs,
  Place,
  ResourceChange,
  ToolVersions,
} from './plan-parts.ts'

/**
 * The wire between worker and server (`versions.ts` has its versions). A worker calls methods (request/response, over WebSocket, or
 * `POST /api/v1/worker/call` where WebSocket is not to be had) and receives events (over the same WebSocket, or by long
 * poll of `GET /api/v1/worker/events`). Every call about a run carries its fencing token; a token that is no longer the
 * run's answers LEASE_LOST, and the worker must stop at once.
 */
/** One frame or call at most: a plan holds up to 64 MiB, and JSON text is longer than what it says. */
export const MAX_FRAME_BYTES = 96 * 1024 * 1024
/** Characters of log that the server keeps of one run in all its leases; then one line says so. */
export const RUN_LOG_LIMIT = 10 * 1024 * 1024
/** Times of one piece of log at most. */
export const LOG_TIMES = 200
/** Lines of a worker's own log that one answer holds. */
export const LOG_LINES_LIMIT = 2_000

const jsonMap = z.record(z.string(), z.json())
export const DriverPlanWire = z.object({
  changes: z.array(ResourceChange),
  coverage: Coverage,
  outputs: Outputs,
  findings: z.array(Finding),
  toolVersions: ToolVersions,
  places: z.array(Place).optional(),
})
const ignoreRule = z.object({ address: z.string(), attribute: z.string() })
const Command = z.object({ run: z.string(), name: z.string(), timeoutMs: z.number() })

/** `HOST:PORT` that tools tried to reach from a sandbox and were not let to, since the last time. */
const EgressRefused = z.array(z.string().max(300)).max(100).optional()

/** Everything a worker needs for one run. Secrets in it live in the worker's memory only. */
export const Grant = z.object({
  runId: z.string(),
  fence: z.number(),
  leaseMs: z.number(),
  kind: z.enum(RUN_KINDS),
  destroy: z.boolean(),
  stack: z.object({
    id: z.string(),
    repository: z.string(),
    environment: z.string(),
    name: z.string(),
    path: z.string(),
  }),
  driver: z.string(),
  driverConfig: jsonMap,
  commit: z.string(),
  desiredDigest: z.string(),
  /** Paths of the repository to materialise (directories or files), the stack's own first. */
  paths: z.array(z.string()),
  inputs: z.record(
    z.string(),
    z.object({ value: z.json(), sensitive: z.boolean(), predicted: z.boolean().optional() }),
  ),
  /** Variables of the plan phase; those of the apply phase come with the decision. */
  variables: z.record(z.string(), z.object({ value: z.string(), secret: z.boolean() })),
  /** What secret variables of the plan phase were before: to be hidden like them, and given to no tool. */
  formerSecrets: z.array(z.string()).optional(),
  /** Tokens of the plan phase by which clouds know the run, variable → token; those of the apply phase come with the decision. */
  identityTokens: z.record(z.string(), z.string()).optional(),
  /** Another commit is deployed, or another definition: its files are to be had too (`WORKER_PATHS.deployed`). */
  deployedDiffers: z.boolean().optional(),
  /** Files that SOPS has encrypted are to be decrypted. Who has not the capability `sops` is never given one. */
  sops: z.boolean().optional(),
  /** Of texts that hold a secret, show the lines without it. */
  showSecretDiff: z.boolean().optional(),
  ignore: z.array(ignoreRule),
  toolVersion: z.string().optional(),
  /** Previews: stacks that this one needs and that are not deployed as the merge request has them. */
  awaits: z.array(z.string()).optional(),
  checks: z.array(Command),
  verify: z.array(Command),
  timeoutMs: z.number(),
  /** Base64 keys: `hash` for keyed hashes of sensitive values, `plan` to seal native plans. */
  keys: z.object({ hash: z.string(), plan: z.string() }),
  stateBackend: z.object({ address: z.string(), username: z.string(), password: z.string() }).optional(),
  /** How its tools are kept in; absent: as the worker does with all. Who has not the capability `sandbox` is never given one. */
  sandbox: z
    .object({
      /** Nobody vouches for the code: always inside, or refused. */
      untrusted: z.boolean(),
      /** The stack wants to be inside while it plans, or in its applies too. */
      asked: z.enum(['plan', 'all']).optional(),
      /** `host:port` of what it may reach. */
      network: z.array(z.string()),
    })
    .optional(),
  /** Only `{ codify: true }` drift runs send file patches with their plan. */
  codify: z.boolean(),
  /** W3C `traceparent` of the run, whether anybody traces or not. */
  trace: z.string().max(100).optional(),
  /** The merge request of the run takes another one back. */
  rollback: z.boolean().optional(),
  /** What a person asks for instead of the whole. */
  request: RunRequest.optional(),
})
export type Grant = z.infer<typeof Grant>

/** What the server says to a plan. */
export const Decision = z.discriminatedUnion('action', [
  z.object({
    action: z.literal('apply'),
    variables: z.record(z.string(), z.object({ value: z.string(), secret: z.boolean() })),
    formerSecrets: z.array(z.string()).optional(),
    identityTokens: z.record(z.string(), z.string()).optional(),
  }),
  /** The run has left the worker (nothing to do, waits for approval, was superseded): clean up. */
  z.object({ action: z.literal('stop'), reason: z.string() }),
])
export type Decision = z.infer<typeof Decision>

/** What an agent did, or saw and left, while the server was away. */
export const AloneReport = z.object({
  /** Rises with every report of an agent; a gap means that some were lost for want of room. */
  number: z.number().int().positive(),
  stackId: z.string().max(100),
  commit: z.string().max(64),
  /** By the agent's clock. */
  at: z.number().int(),
  outcome: z.enum(['healed', 'failed', 'seen', 'window', 'held', 'flapping', 'backoff']),
  why: z.string().max(2_000),
  addresses: z.array(z.string().max(2_000)).max(50),
})
export type AloneReport = z.infer<typeof AloneReport>

const run = { runId: z.string(), fence: z.number() }

/** method → params and result. All are idempotent for one (runId, fence). */
export const METHODS = {
  hello: {
    params: z.object({
      /** The newest protocol that the worker speaks, and the oldest; without it only that one. */
      protocol: z.number(),
      oldest: z.number().optional(),
      version: z.string(),
      capabilities: z.array(z.string().max(100)).max(100).optional(),
      hostname: z.string(),
      pools: z.array(z.string()),
      slots: z.number(),
      /** Runs that this worker still holds after a reconnect. */
      holding: z.array(z.object(run)),
      /** The worker's own clock, milliseconds since the epoch. */
      clock: z.number().optional(),
      /** Programs that it found. Runs that need others go to other workers; absent, it may be given any. */
      tools: ToolsFound.optional(),
    }),
    result: z.object({
      workerId: z.string(),
      /** The protocol that both speak from now on; 1 where it is absent. */
      protocol: z.number().optional(),
      version: z.string().optional(),
      capabilities: z.array(z.string()).optional(),
      heartbeatMs: z.number(),
      leaseMs: z.number(),
      /** How often to ask for runs of which no event has told; 20 s where it is absent. */
      askMs: z.number().optional(),
      /** Somebody wants this worker to make itself a new key. */
      rotateKey: z.boolean().optional(),
      /** The server's clock, milliseconds since the epoch. */
      now: z.number().optional(),
    }),
  },
  /** The programs of this worker are others than at its last word of them. */
  tools: { params: z.object({ tools: ToolsFound }), result: z.object({}) },
  /** The newest lines of the worker's own log, as an event `logs` asked for them. */
  logs: {
    params: z.object({ request: z.string().max(100), lines: z.array(z.string().max(16_384)).max(LOG_LINES_LIMIT) }),
    result: z.object({}),
  },
  /** Asks for one run; `null` where there is none. `request` makes a repeat after a lost answer give the same grant. */
  lease: {
    params: z.object({ request: z.string(), clock: z.number().optional() }),
    result: z.object({ grant: Grant.nullable() }),
  },
  heartbeat: {
    params: z.object({ runs: z.array(z.object(run)) }),
    result: z.object({
      cancel: z.array(z.string()),
      lost: z.array(z.string()),
      /** A newer change of their stacks waits for nothing but their end; absent of older servers. */
      replaced: z.array(z.string()).optional(),
    }),
  },
  /** `preparing`, `planning`, `verifying`: the run has entered that state (`applying` follows from the decision). */
  state: {
    params: z.object({ ...run, state: z.enum(['preparing', 'planning', 'verifying']) }),
    result: z.object({}),
  },
  /** Log text from `offset` (characters of the whole log so far). A repeat is dropped, a gap answers the wanted offset. */
  log: {
    params: z.object({
      ...run,
      offset: z.number(),
      text: z.string(),
      /** When it was written: characters after `offset`, and the time from there on by the server's clock, in milliseconds. */
      times: z
        .array(z.tuple([z.number().int().min(0), z.number().int()]))
        .max(LOG_TIMES)
        .optional(),
    }),
    result: z.object({ next: z.number() }),
  },
  plan: {
    params: z.object({
      ...run,
      plan: DriverPlanWire,
      checks: z.array(CommandResult),
      egressRefused: EgressRefused,
      /** base64 contents; null removes the file. */
      patches: z
        .array(z.object({ path: z.string(), content: z.string().nullable(), mode: z.string().optional() }))
        .optional(),
    }),
    result: Decision,
  },
  /** The apply is over (the world no longer changes), verification may follow. Recorded before `finish`. */
  applied: {
    params: z.object({
      ...run,
      status: z.enum(['applied', 'failed', 'canceled']),
      resources: z.array(AppliedResource),
      outputs: Outputs,
      findings: z.array(Finding),
      /** It ended before its first write: the stack is what it was, and not broken half-way. */
      untouched: z.boolean().optional(),
    }),
    result: z.object({}),
  },
  finish: {
    params: z.object({
      ...run,
      status: z.enum(['succeeded', 'failed', 'canceled', 'returned']),
      error: ErrorParts.optional(),
      verify: z.array(CommandResult),
      egressRefused: EgressRefused,
    }),
    result: z.object({}),
  },
  /** What was done alone, one after the other; a repeat is dropped by its number. */
  report: { params: AloneReport, result: z.object({}) },
  /** A live event at a watched stack. */
  drifted: { params: z.object({ stackId: z.string(), addresses: z.array(z.string()) }), result: z.object({}) },
} as const
export type Method = keyof typeof METHODS
export type Params<M extends Method> = z.infer<(typeof METHODS)[M]['params']>
export type Result<M extends Method> = z.infer<(typeof METHODS)[M]['result']>

/** A stack that this worker is to watch; the set is sent whole after hello and after each change. */
export const WatchOrder = Grant.pick({
  stack: true,
  driver: true,
  driverConfig: true,
  commit: true,
  desiredDigest: true,
  paths: true,
  inputs: true,
  variables: true,
  formerSecrets: true,
  sops: true,
  ignore: true,
  keys: true,
})
export type WatchOrder = z.infer<typeof WatchOrder>

/** server → worker. Losing one is harmless: each is repeated by the next heartbeat, lease or hello. */
export const ServerEvent = z.discriminatedUnion('event', [
  z.object({ event: z.literal('work') }),
  z.object({ event: z.literal('cancel'), runId: z.string(), reason: z.string() }),
  /** A newer change of its stack waits for nothing but the end of this run: what is written is not waited for any longer. */
  z.object({ event: z.literal('replaced'), runId: z.string() }),
  /** `of`: the stacks (ids) that this speaks of, all others stay as they are; absent: `watches` is the whole set. */
  z.object({ event: z.literal('watches'), watches: z.array(WatchOrder), of: z.array(z.string()).optional() }),
  z.object({ event: z.literal('shutdown'), reason: z.string() }),
  /** Make a new key (`WORKER_PATHS.key`). */
  z.object({ event: z.literal('rotateKey') }),
  /** Send the newest lines of your own log (method `logs`). */
  z.object({ event: z.literal('logs'), request: z.string(), lines: z.int().min(1).max(LOG_LINES_LIMIT) }),
])
export type ServerEvent = z.infer<typeof ServerEvent>

/** WebSocket frames, JSON text. A frame of a kind that is not known is answered with METHOD_UNKNOWN, under its id or 0. */
export const CallFrame = z.object({ id: z.number(), method: z.string(), params: z.unknown() })
export const AnswerFrame = z.object({ id: z.number(), result: z.unknown().optional(), error: ErrorParts.optional() })

/**
 * The HTTP side. All but `enrol` are signed (`request-proof.ts`), the WebSocket's upgrade request too. Answers that are no
 * success have an `ErrorBody`.
 */
export const WORKER_PATHS = {
  enrol: '/api/v1/worker/enrol',
  /** Puts a new key in the place of the one that signs the request. */
  key: '/api/v1/worker/key',
  socket: '/api/v1/worker/socket',
  call: '/api/v1/worker/call',
  /** `?waitMs=<ms>`: answers `EventsAnswer` as soon as there is an event, or empty when the time is up. */
  events: '/api/v1/worker/events',
  /** A tar stream of the run's `paths`. */
  workspace: (runId: string, fence: number): string =>
    `/api/v1/worker/runs/${encodeURIComponent(runId)}/workspace?fence=${fence}`,
  /** A tar stream of the run's stack as it is deployed. */
  deployed: (runId: string, fence: number): string =>
    `/api/v1/worker/runs/${encodeURIComponent(runId)}/deployed?fence=${fence}`,
  /** A tar stream of a watched stack's `paths` at the commit of its watch order. */
  watchWorkspace: (stackId: string, commit: string): string =>
    `/api/v1/worker/watches/${encodeURIComponent(stackId)}/workspace?commit=${encodeURIComponent(commit)}`,
  /**
   * A Git pack of a stack at a commit: the commit, the trees on the way, and what the stack is built from. Never changes. `have`: the commit
   * of which the worker holds the stack; the pack is thin then, or the whole one all the same.
   */
  pack: (stackId: string, commit: string, have?: string): string =>
    `/api/v1/worker/stacks/${encodeURIComponent(stackId)}/packs/${encodeURIComponent(commit)}${have === undefined ? '' : `?have=${encodeURIComponent(have)}`}`,
  /** Where the same pack is to be had without a proof: `PackAddress`. */
  packAddress: (stackId: string, commit: string, have?: string): string => {
    const [path, query] = WORKER_PATHS.pack(stackId, commit, have).split('?')
    return `${path}/address${query === undefined ? '' : `?${query}`}`
  },
  cachedPack: (address: string): string => `/api/v1/packs/${address}`,
  /** A Git pack of the commits after `from` up to `to`, by their first parents. */
  lineage: (stackId: string, { from, to }: { from: string; to: string }): string =>
    `/api/v1/worker/stacks/${encodeURIComponent(stackId)}/lineage?from=${encodeURIComponent(from)}&to=${encodeURIComponent(to)}`,
} as const

/** Path of a pack, below the server's address or that of a cache in front. */
export const PackAddress = z.object({ path: z.string().regex(/^\/api\/v1\/packs\/[\w.-]{1,400}$/) })

const Jwk = z.object({ kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: z.string() })
export const EnrolRequest = z.object({
  token: z.string(),
  name: z.string(),
  kind: z.enum(['runner', 'agent']),
  publicKey: Jwk,
})
export type EnrolRequest = z.infer<typeof EnrolRequest>
export const EnrolAnswer = z.object({ workerId: z.string() })
/** `proof`: a token for `NEW_KEY_AUDIENCE`, signed by the new key. */
export const KeyRequest = z.object({ publicKey: Jwk, proof: z.string() })
export type KeyRequest = z.infer<typeof KeyRequest>
/** Until when the former key counts, milliseconds since the epoch. */
export const KeyAnswer = z.object({ formerUntil: z.number() })
export const CallRequest = z.object({ method: z.string(), params: z.unknown() })
/** Body of a long-polled call; an error has its own HTTP status. */
export const CallAnswer = z.object({ result: z.unknown().optional(), error: ErrorParts.optional() })
export const EventsAnswer = z.object({ events: z.array(ServerEvent) })
/** The same as a worker reads it: events that its version does not know are left, as they are hints. */
export const EventsHeard = z.object({ events: z.array(z.unknown()) }).transform(({ events }) => ({
  events: events.flatMap((event) => {
    const known = ServerEvent.safeParse(event)
    return known.success ? [known.data] : []
  }),
}))
