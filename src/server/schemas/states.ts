import { z } from 'zod'
import { Time } from './common.ts'

export const StateVersion = z
  .object({
    version: z.number(),
    serial: z.number(),
    lineage: z.string(),
    md5: z.string(),
    run: z.string().nullable(),
    actor: z.string().nullable(),
    createdAt: Time,
  })
  .meta({ id: 'StateVersion' })

export const StateInfo = z
  .object({
    stack: z.string(),
    workspace: z.string(),
    /** Terraform's own lock info, with who holds it and since when; null while it is free. */
    lock: z.record(z.string(), z.json()).nullable(),
    versions: z.array(StateVersion),
  })
  .meta({ id: 'StateInfo' })
export type StateInfo = z.infer<typeof StateInfo>

export const StateObjects = z
  .object({
    stack: z.string(),
    workspace: z.string(),
    /** Version of the state that was listed; null where Trueup keeps none. */
    version: z.number().nullable(),
    objects: z.array(
      z.object({
        address: z.string(),
        type: z.string(),
        provider: z.string(),
        note: z.string().nullable(),
        needs: z.array(z.string()).meta({ description: 'resources that it depends on, without keys of instances' }),
      }),
    ),
  })
  .meta({ id: 'StateObjects' })
export type StateObjects = z.infer<typeof StateObjects>

export const StateDiff = z
  .object({
    stack: z.string(),
    workspace: z.string(),
    from: z.number(),
    to: z.number(),
    /** Names of what differs, never values: a state does not say which of them are secret. */
    differences: z.array(
      z.object({
        address: z.string(),
        change: z.enum(['added', 'removed', 'changed']),
        attributes: z.array(z.string()),
      }),
    ),
  })
  .meta({ id: 'StateDiff' })
export type StateDiff = z.infer<typeof StateDiff>

const where = {
  stack: z.string().max(300).meta({ description: 'environment/name' }),
  workspace: z.string().max(90).default('default'),
}
export const StateQuery = z.strictObject(where)
const version = z.coerce.number().int().min(1)
export const StateDiffQuery = z.strictObject({
  ...where,
  from: version.optional().meta({ description: 'the earlier version; the one before `to` where it is not given' }),
  to: version.optional().meta({ description: 'the later version; the current one where it is not given' }),
})
export const StateRestore = z.strictObject({ ...where, version: z.number().int().min(1) })
export const StateUnlock = z.strictObject({
  ...where,
  /** The lock that the caller looked at, so that a newer one is not opened by mistake. */
  lockId: z.string().max(200),
  reason: z.string().trim().min(1).max(2_000),
})
