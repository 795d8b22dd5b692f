import { z } from 'zod'
import { Retention as RetentionShape } from '../../domain/retention.ts'

export const Retention = RetentionShape.meta({ id: 'Retention' })
export type Retention = z.infer<typeof Retention>

export const DatabaseSize = z
  .object({
    bytes: z.number(),
    free: z.number().meta({ description: 'bytes of it that are used next' }),
    shrinks: z.boolean().meta({ description: 'whether free bytes are given back to the disk while the server runs' }),
    tables: z.array(z.object({ table: z.string(), bytes: z.number() })),
    retention: Retention,
  })
  .meta({ id: 'DatabaseSize' })
export type DatabaseSize = z.infer<typeof DatabaseSize>

export const PruneOrder = z.strictObject({ dryRun: z.boolean().default(false) })

export const Pruned = z
  .object({
    dryRun: z.boolean(),
    previews: z.number(),
    checks: z.number(),
    plans: z.number().meta({ description: 'runs that lost their plan, and stay' }),
    logs: z.number().meta({ description: 'runs that lost their log, and stay' }),
    states: z.number().meta({ description: 'versions of Terraform states' }),
    audit: z.number().meta({ description: 'events that left for an archive' }),
  })
  .meta({ id: 'Pruned', description: 'how many of what went' })
export type Pruned = z.infer<typeof Pruned>
