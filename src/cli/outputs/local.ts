import { z } from 'zod'
import { AuditBreak } from '../../domain/audit.ts'
import { Finding, Place } from '../../domain/wire/plan-parts.ts'
import { Time } from '../../server/schemas/common.ts'
import { ErrorBody, Plan } from '../../server/schemas/plans.ts'
import { DamagedRepository } from '../../store/backup/manifest.ts'

/** What commands print that work on this machine alone. What servers answer has its schema in `server/schemas`. */

const LocalFinding = Finding.extend({
  stack: z.string().optional().meta({ description: 'environment/name' }),
  next: z.string().optional().meta({ description: 'what to do about it' }),
}).meta({ id: 'LocalFinding' })

export const Validation = z
  .object({
    ok: z.boolean(),
    root: z.string().meta({ description: 'directory of the repository' }),
    stacks: z.array(z.string()).meta({ description: 'stacks that were checked, as environment/name' }),
    findings: z.array(LocalFinding),
  })
  .meta({ id: 'Validation' })

const LocalPlan = Plan.extend({ places: z.array(Place).optional() }).meta({ id: 'LocalPlan' })

export const LocalPlans = z
  .object({
    root: z.string().meta({ description: 'directory of the repository' }),
    stacks: z.array(
      z.object({
        stack: z.string().meta({ description: 'environment/name' }),
        plan: LocalPlan.optional(),
        error: ErrorBody.optional().meta({ description: 'why there is no plan' }),
      }),
    ),
  })
  .meta({ id: 'LocalPlans' })

const Proposal = z.object({
  environments: z.array(z.object({ name: z.string(), tier: z.string() })),
  stacks: z.array(
    z.object({
      path: z.string(),
      driver: z.string(),
      name: z.string().optional(),
      environments: z.array(z.string()).optional(),
      needs: z.array(z.string()).optional(),
      watch: z.array(z.string()).optional(),
      toolVersion: z.string().optional(),
      with: z.record(z.string(), z.json()).optional(),
      why: z.string(),
      confidence: z.enum(['sure', 'likely', 'unsure']),
      inactive: z
        .string()
        .nullable()
        .meta({ description: 'why it stands as a comment; null for those that take effect' }),
    }),
  ),
  leftOut: z.array(z.object({ path: z.string(), why: z.string() })),
})

/** `text` with --print, else `file`. */
export const TakenOver = Proposal.omit({ leftOut: true })
  .extend({
    from: z.array(z.object({ tool: z.string(), files: z.array(z.string()) })),
    noEqual: z
      .array(z.object({ path: z.string(), why: z.string() }))
      .meta({ description: 'what the other tool is told and Trueup is not' }),
    file: z.string().optional().meta({ description: 'what was written' }),
    text: z.string().optional().meta({ description: 'with --print: what would be written' }),
  })
  .meta({ id: 'TakenOver' })

/** `path` with --explain, `text` with --print, else `file`. */
export const Initialised = Proposal.extend({
  file: z.string().optional().meta({ description: 'what was written' }),
  text: z.string().optional().meta({ description: 'with --print: what would be written' }),
  path: z.string().optional().meta({ description: 'with --explain: the path that was asked about' }),
}).meta({ id: 'Initialised' })

export const Checkup = z
  .object({
    ok: z.boolean(),
    checks: z.array(
      z.object({
        name: z.string(),
        state: z.enum(['ok', 'note', 'warning', 'error']),
        finding: z.string(),
        next: z.string().optional(),
      }),
    ),
  })
  .meta({ id: 'Checkup' })

export const Demonstration = z
  .object({
    steps: z.array(z.object({ name: z.string(), milliseconds: z.number(), said: z.string() })),
    passed: z.number(),
  })
  .meta({ id: 'Demonstration' })

export const ServerStarted = z
  .object({
    url: z.string(),
    dataDir: z.string(),
    adminTokenFile: z.string().nullable(),
    firstStart: z.boolean(),
  })
  .meta({ id: 'ServerStarted' })

export const BackedUp = z
  .object({
    target: z.string(),
    files: z.number(),
    bytes: z.number(),
    damaged: z.array(DamagedRepository).meta({ description: 'repositories that are only partly in it' }),
  })
  .meta({ id: 'BackedUp' })

export const Restored = BackedUp.omit({ target: true }).extend({ data: z.string() }).meta({ id: 'Restored' })

/** What an agent without a server holds and does (`worker/agent/standalone`). */
export const AgentStatus = z
  .object({
    branch: z.object({
      taken: z.object({ commit: z.string(), signer: z.string(), at: Time }).optional(),
      refused: z.object({ commit: z.string(), code: z.string(), why: z.string(), at: Time }).optional(),
      heardAt: Time.optional(),
      trouble: z.object({ code: z.string(), why: z.string(), since: Time }).optional(),
    }),
    stacks: z.array(
      z.object({
        stack: z.string(),
        state: z.enum(['pending', 'in_sync', 'drifted', 'waiting', 'held', 'failed', 'left']),
        why: z.string(),
        since: Time,
        counts: z.object({ deployed: z.number(), healed: z.number(), failed: z.number() }),
        commit: z.string().nullable(),
        deployedAt: Time.nullable(),
        doing: z.enum(['deploy', 'heal']).nullable(),
      }),
    ),
  })
  .meta({ id: 'AgentStatus' })

/** What an export of the audit was found to be (`store/audit/verify-export.ts`). */
export const ExportVerdict = z
  .object({
    ok: z.boolean(),
    fromSeq: z.number(),
    through: z.number(),
    count: z.number().meta({ description: 'events that are in order' }),
    before: z.number(),
    after: z.number(),
    breaks: z.array(AuditBreak),
    total: z.number(),
  })
  .meta({ id: 'ExportVerdict' })

export const Explained = z
  .union([
    z.object({ topic: z.string(), lines: z.array(z.string()) }),
    z.object({
      codes: z.array(z.string()),
      keys: z.string(),
      drivers: z.array(z.string()),
      outputs: z.array(z.string()),
    }),
  ])
  .meta({ id: 'Explained' })
