import { z } from 'zod'
import { Time } from './common.ts'
import { StackState } from './stacks.ts'

export const Freeze = z
  .object({
    id: z.string(),
    environment: z.string(),
    reason: z.string(),
    by: z.string(),
    createdAt: Time,
    until: Time.nullable().meta({ description: 'null: until it is lifted' }),
    liftedAt: Time.nullable(),
  })
  .meta({ id: 'Freeze' })
export type Freeze = z.infer<typeof Freeze>

export const FreezeOrder = z.strictObject({
  reason: z.string().trim().min(1).max(2_000),
  /** Absent or null: until it is lifted. */
  until: Time.nullish(),
})

export const Notice = z
  .object({
    id: z.string(),
    environment: z.string(),
    kind: z.enum(['incident', 'maintenance', 'info']),
    text: z.string(),
    by: z.string(),
    createdAt: Time,
    until: Time.nullable().meta({ description: 'null: until it is withdrawn' }),
    withdrawnAt: Time.nullable(),
  })
  .meta({ id: 'Notice' })
export type Notice = z.infer<typeof Notice>

export const NoticeOrder = z.strictObject({
  kind: Notice.shape.kind.default('info'),
  text: z.string().trim().min(1).max(2_000),
  /** Absent or null: until it is withdrawn. */
  until: Time.nullish(),
})

/** Whether deployments and heals may go on at this moment. */
export const DeployWindow = z
  .object({
    open: z.boolean(),
    reason: z.string().nullable().meta({ description: 'why it is closed' }),
    nextChangeAt: Time.nullable().meta({ description: 'when `open` changes by itself; null: never' }),
  })
  .meta({ id: 'DeployWindow' })

/** The rules of one environment as the default branch says them, with every default filled in. */
export const Environment = z
  .object({
    name: z.string(),
    tier: z.enum(['development', 'staging', 'production']),
    protected: z.boolean().meta({ description: 'nothing unapproved is applied here' }),
    approvals: z.object({
      required: z.number(),
      from: z.array(z.string()).meta({
        description:
          'team:NAME, user:NAME or a group of the forge (gitlab:GROUP); anyone with the right to where empty',
      }),
      codeOwners: z.boolean(),
      rollback: z.enum(['none', 'one', 'same']),
    }),
    windows: z.array(
      z.object({ allow: z.string().optional(), deny: z.string().optional(), timezone: z.string().optional() }),
    ),
    onFailure: z.enum(['stop', 'rollback']),
    unplannable: z.enum(['block', 'allow']),
    trust: z.enum(['contributors', 'maintainers', 'approved']),
    drift: z.object({
      mode: z.enum(['observe', 'propose', 'enforce']),
      intervalMs: z.number(),
      maxDestroys: z.number().nullable(),
    }),
    workers: z.string().meta({ description: 'pool of the workers that execute its runs' }),
    deployments: DeployWindow,
    freezes: z.array(Freeze),
    notices: z.array(Notice).meta({ description: 'what people are to know of it; they stop nothing' }),
  })
  .meta({ id: 'Environment' })
export type Environment = z.infer<typeof Environment>

export const Overview = z
  .object({
    repository: z.string(),
    stacks: z.number(),
    environments: z.array(
      z.object({
        name: z.string(),
        stacks: z.number(),
        states: z.array(z.object({ state: StackState, count: z.number() })),
        /** Null for an environment that trueup.yaml no longer has. */
        deployments: DeployWindow.nullable(),
        notices: z.array(Notice),
      }),
    ),
  })
  .meta({ id: 'Overview' })
export type Overview = z.infer<typeof Overview>
