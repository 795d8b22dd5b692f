import { z } from 'zod'

const Days = z.number().int().min(1).max(36_500)

export const Retention = z
  .strictObject({
    logs: Days.meta({ description: 'days that logs of runs are kept' }),
    plans: Days.meta({ description: 'days that plans of previews and drift checks are kept' }),
    runs: Days.meta({ description: 'days that previews and drift checks themselves are kept' }),
  })
  .meta({ id: 'Retention' })
export type Retention = z.infer<typeof Retention>

export const DatabaseSize = z
  .object({
    bytes: z.number(),
    free: z.number().meta({ description: 'bytes of it that are used next' }),
    tables: z.array(z.object({ table: z.string(), bytes: z.number() })),
    retention: Retention,
  })
  .meta({ id: 'DatabaseSize' })
export type DatabaseSize = z.infer<typeof DatabaseSize>

export const PruneOrder = z.strictObject({ dryRun: z.boolean().default(false) })

export const Pruned = z
  .object({ dryRun: z.boolean(), logs: z.number(), plans: z.number(), runs: z.number() })
  .meta({ id: 'Pruned', description: 'how many runs lost their log, their plan, or went' })
