import { z } from 'zod'
import { AuditBreak } from '../../domain/audit.ts'
import { AuditArchive } from '../../domain/audit-archive.ts'
import { Name, Time } from './common.ts'
import { RunKind, RunState } from './plans.ts'

export const AuditEvent = z
  .object({
    seq: z.number(),
    at: Time,
    actor: z.string(),
    /** Who that is now; not part of the chain. Null for Trueup itself. */
    actorName: z.string().nullable(),
    action: z.string(),
    subject: z.string(),
    repositoryId: z.string().nullable(),
    data: z.json(),
    previousHash: z.string(),
    hash: z.string(),
  })
  .meta({ id: 'AuditEvent' })
export type AuditEvent = z.infer<typeof AuditEvent>

/** `count` links are in order, counted from the first; `firstBad` says where it goes wrong, and how. */
export const AuditVerdict = z
  .object({
    ok: z.boolean(),
    count: z.number(),
    checkpoints: z.number(),
    firstBad: AuditBreak.optional(),
    /** The first hundred places that are out of order, and how many there are. */
    breaks: z.array(AuditBreak),
    total: z.number(),
    /** Events that named earlier breaks and continued the chain. */
    reseals: z.array(
      z.object({
        seq: z.number(),
        at: z.number(),
        actor: z.string(),
        actorName: z.string().nullable(),
        reason: z.string(),
        breaks: z.array(AuditBreak),
        total: z.number(),
      }),
    ),
    /** The last event that left the database, and in how many parts; null where none did. The proof begins behind it. */
    archived: z.object({ through: z.number(), parts: z.number() }).nullable(),
  })
  .meta({ id: 'AuditVerdict' })
export type AuditVerdict = z.infer<typeof AuditVerdict>

/** Parts of the chain that left the database, oldest first, and the key by which they are signed. */
export const AuditArchives = z
  .object({
    keyId: z.string(),
    /** SPKI in PEM. Keep it where the server cannot change it. */
    publicKey: z.string(),
    archives: z.array(AuditArchive),
  })
  .meta({ id: 'AuditArchives' })

export const ResealRequest = z.strictObject({
  /** Stands in the event that continues the chain. */
  reason: z.string().trim().min(1).max(2000),
})

export const VerifyRequest = z
  .strictObject({
    /** A head that was kept somewhere else: the last line of an export. */
    kept: z.strictObject({ seq: z.int().min(1), hash: z.string().max(64) }).optional(),
  })
  .nullish()

export const Worker = z
  .object({
    id: z.string(),
    name: z.string(),
    kind: z.enum(['runner', 'agent']),
    pools: z.array(z.string()),
    /** Names of the repositories and environments whose runs it is given; all where empty. */
    repositories: z.array(z.string()),
    environments: z.array(z.string()),
    builtin: z.boolean(),
    connected: z.boolean(),
    key: z.object({
      /** The public half of its key. */
      id: z.string(),
      since: Time,
      /** Until when the key before it counts or counted; null where there was none. */
      formerUntil: Time.nullable(),
      /** Since when a new one is asked for and not there. */
      askedAt: Time.nullable(),
    }),
    info: z.json(),
    /** Programs of drivers that it has, and their versions (empty where not asked yet); null of one that does not say. */
    tools: z.record(z.string(), z.string()).nullable(),
    /** Milliseconds by which its clock is ahead of the server's; null where it has not said. */
    clockSkewMs: z.number().nullable(),
    draining: z.boolean(),
    /** What it does now. */
    runs: z.array(
      z.object({
        id: z.string(),
        repository: z.string(),
        /** `environment/name`. */
        stack: z.string(),
        kind: RunKind,
        state: RunState,
        startedAt: Time.nullable(),
      }),
    ),
    /** Runs of repositories in which the person has no role. */
    otherRuns: z.int(),
    lastSeenAt: Time.nullable(),
    revokedAt: Time.nullable(),
    createdAt: Time,
  })
  .meta({ id: 'Worker' })
export type Worker = z.infer<typeof Worker>

export const WorkerLog = z
  .object({
    worker: z.string(),
    /** Oldest first, each as the worker wrote it: `level`, `time`, `msg`, and fields. */
    entries: z.array(z.record(z.string(), z.json())),
  })
  .meta({ id: 'WorkerLog' })
export type WorkerLog = z.infer<typeof WorkerLog>

export const Queue = z
  .object({
    pool: z.string(),
    /** Runs that wait for nothing but a worker. */
    waiting: z.int(),
    /** Since when the one waits that has waited longest; null where none does. */
    oldestAt: Time.nullable(),
    running: z.int(),
    /** Workers that are connected and serve it. */
    workers: z.int(),
    /** False: no worker was ever enrolled for it, or all were revoked. */
    enrolled: z.boolean(),
  })
  .meta({ id: 'Queue' })

export const NewEnrolment = z.strictObject({
  pools: z.array(Name).min(1).max(20).default(['default']),
  /** Names of the repositories and environments whose runs it is given; all where empty. */
  repositories: z.array(Name).max(100).default([]),
  environments: z.array(Name).max(100).default([]),
  /** Milliseconds in which the one-time token can be used. */
  expiresInMs: z
    .int()
    .min(60_000)
    .max(7 * 24 * 3_600_000)
    .default(3_600_000),
})
export const Enrolment = z
  .object({
    id: z.string(),
    token: z.string(),
    pools: z.array(z.string()),
    repositories: z.array(z.string()),
    environments: z.array(z.string()),
    expiresAt: Time,
  })
  .meta({ id: 'Enrolment' })

export const ServerInfo = z
  .object({
    version: z.string(),
    url: z.string(),
    startedAt: Time,
    workersConnected: z.number(),
    /** Public SSH key whose private half signs merges; null where the server signs none. */
    signingKey: z.string().nullable(),
  })
  .meta({ id: 'ServerInfo' })
