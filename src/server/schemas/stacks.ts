import { z } from 'zod'
import { RunRequest } from '../../domain/runs/run-request.ts'
import { Unchecked } from '../../domain/wire/plan-parts.ts'
import { Time } from './common.ts'
import { DriftRecord } from './drift.ts'
import { PlanSummary } from './plans.ts'

export const StackState = z
  .enum([
    'new',
    'in_sync',
    'partly_checked',
    'pending',
    'deploying',
    'awaiting_approval',
    'drifted',
    'failed',
    'blocked',
    'quarantined',
    'unreachable',
    'unknown',
    'orphaned',
  ])
  .meta({ id: 'StackState' })

/** A desired state that was rolled back and is not deployed again until the quarantine is lifted. */
export const Quarantine = z
  .object({
    id: z.string(),
    stack: z.string(),
    stackId: z.string(),
    commit: z.string(),
    reason: z.string(),
    mr: z.number().nullable().meta({ description: 'the rollback that has put it; closing that unmerged lifts it' }),
    by: z.string().nullable(),
    createdAt: Time,
    liftedAt: Time.nullable(),
  })
  .meta({ id: 'Quarantine' })
export type Quarantine = z.infer<typeof Quarantine>
/** How stacks are looked for. */
export const FoundByQuery = {
  q: z.string().max(300).optional().meta({
    description: 'words, each part of the name, path, an owner, a label or a tool, or the name of the driver',
  }),
  driver: z.string().max(63).optional(),
  owner: z.string().max(200).optional().meta({ description: '`@ada`, `@team/payments`' }),
  label: z.string().max(200).optional().meta({ description: '`tier=web`' }),
  tool: z.string().max(200).optional().meta({ description: '`tofu`, or `tofu@1.12.6`' }),
}

/** What a stack is found by beside its name. */
const Found = {
  facets: z.array(z.string()).meta({ description: 'owners (`@ada`, `@team/payments`) and labels (`tier=web`)' }),
  tools: z.array(z.string()).meta({ description: 'what the last look was made with: `tofu@1.12.6`' }),
}

const SourceDigest = z
  .string()
  .nullable()
  .meta({ description: 'of the source; equal where what is deployed is what Git says' })

/** Three separate facts, never one: what Git wants, what was deployed, what a check last saw. */
export const Stack = z
  .object({
    id: z.string(),
    repository: z.string(),
    environment: z.string(),
    name: z.string(),
    path: z.string(),
    driver: z.string(),
    ...Found,
    state: StackState,
    stateReason: z.string().nullable(),
    desired: z.object({ commit: z.string().nullable(), digest: SourceDigest }),
    deployed: z.object({ commit: z.string().nullable(), digest: SourceDigest, at: Time.nullable() }),
    observed: z.object({
      at: Time.nullable(),
      checked: z.number().nullable(),
      uncheckedCount: z.number().nullable().meta({ description: 'how many things the last look did not see' }),
      unchecked: z.array(Unchecked).meta({ description: 'the first hundred of them' }),
    }),
    drift: z.object({
      mode: z.enum(['observe', 'propose', 'enforce']),
      nextCheckAt: Time.nullable(),
      open: z.number(),
    }),
    needs: z.array(z.string()),
    quarantined: Quarantine.nullable().meta({
      description: 'why nothing deploys or heals the state that it is in; null where nothing is in the way',
    }),
    brokenBy: z.string().nullable().meta({ description: 'run that left it half applied' }),
  })
  .meta({ id: 'Stack' })
export type Stack = z.infer<typeof Stack>

/** Stacks of one name. A row that a filter finds has all of its cells, those of other environments too. */
export const MatrixRow = z
  .object({
    name: z.string(),
    cells: z.array(
      z.object({
        id: z.string(),
        environment: z.string(),
        state: StackState,
        stateReason: z.string().nullable(),
        observedAt: Time.nullable(),
        deployedAt: Time.nullable(),
        nextDriftAt: Time.nullable(),
        driver: z.string(),
        path: z.string(),
        ...Found,
      }),
    ),
  })
  .meta({ id: 'MatrixRow' })

const Span = z.number().nullable().meta({ description: 'median of the day in milliseconds; null: there was none' })

/** A day each (UTC), oldest first. */
export const Delivery = z
  .object({
    days: z.array(
      z.object({
        day: Time,
        deployed: z.number(),
        failed: z.number(),
        heals: z.number(),
        leadMs: Span,
        restoreMs: Span,
        driftMs: Span,
      }),
    ),
    partial: z.boolean().meta({ description: 'a day had so many that its last are left out' }),
  })
  .meta({ id: 'Delivery' })

export const Lifting = z.strictObject({ reason: z.string().trim().min(1).max(2_000) })

export const Deployment = z
  .object({
    id: z.string(),
    stack: z.string(),
    stackId: z.string(),
    run: z.string(),
    mr: z.number().nullable(),
    kind: z.enum(['deploy', 'heal', 'destroy']),
    state: z.enum(['succeeded', 'failed']),
    commit: z.string(),
    previousCommit: z.string().nullable(),
    summary: PlanSummary,
    actor: z.string().nullable(),
    finishedAt: Time,
  })
  .meta({ id: 'Deployment' })
export type Deployment = z.infer<typeof Deployment>

/** What a stack's definition allows that is refused elsewhere. */
const Allowances = z.object({
  showSecretDiff: z.boolean().meta({ description: 'its plans show the lines around secrets, masked' }),
  takeOver: z.array(z.string()).meta({ description: 'addresses that it may take from other stacks' }),
})

export const StackDetail = Stack.extend({
  allows: Allowances,
  outputs: z.record(z.string(), z.object({ value: z.json().nullable(), sensitive: z.boolean() })),
  quarantine: z.array(Quarantine).meta({ description: 'all its states that were rolled back' }),
  /** Newest first, closed ones too; the whole list is at `…/drift`. */
  recentDrift: z.array(DriftRecord),
  /** Newest first; the whole list is at `…/deployments`. */
  recentDeployments: z.array(Deployment),
  /** Open merge requests that Trueup made for this stack. */
  proposals: z.array(z.object({ mr: z.number(), origin: z.string(), title: z.string() })),
}).meta({ id: 'StackDetail' })
export type StackDetail = z.infer<typeof StackDetail>

/** What becomes of a stack that has left Git: `destroy` waits for an approval of its plan, `forget` leaves all as it is. */
export const RemovalOrder = z.strictObject({
  stack: z.string().max(300).meta({ description: 'environment/name' }),
  how: z.enum(['destroy', 'forget']),
  reason: z.string().trim().min(1).max(2_000),
})

/** A run of what is deployed, narrowed or widened: only some resources, some made anew, or an edit of the state. */
export const RequestOrder = z.strictObject({
  stack: z.string().max(300).meta({ description: 'environment/name' }),
  request: RunRequest,
  reason: z.string().trim().min(1).max(2_000),
})

export const RollbackOrder = z.strictObject({
  target: z.discriminatedUnion('what', [
    z.strictObject({ what: z.literal('stack'), stack: z.string().max(300), to: z.string().max(64).optional() }),
    z.strictObject({
      what: z.literal('environment'),
      environment: z.string().max(63),
      to: z.string().max(64).optional(),
    }),
    z.strictObject({ what: z.literal('deployment'), deployment: z.string().max(100) }),
  ]),
  reason: z.string().trim().min(1).max(2_000),
})
