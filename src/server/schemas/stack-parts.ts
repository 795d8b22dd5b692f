import { z } from 'zod'
import { Time } from './common.ts'

export const StackResources = z
  .object({
    items: z
      .array(
        z.object({
          address: z.string(),
          health: z.enum(['failed', 'drifted', 'unchecked', 'ok', 'unknown']),
          why: z.string().nullable().meta({ description: 'what is the matter with it; null where nothing is' }),
          run: z.string().nullable().meta({ description: 'what did the last thing to it' }),
        }),
      )
      .meta({ description: 'worst first; those that something has happened to' }),
    more: z.number().meta({ description: 'how many are left out of the list because they are too many' }),
    checked: z.number().nullable().meta({ description: 'how many the last look has seen, named here or not' }),
  })
  .meta({ id: 'StackResources' })
export type StackResources = z.infer<typeof StackResources>

export const ManagedPlace = z
  .object({
    address: z.string().meta({ description: 'kind and place: files:default:/etc/nginx' }),
    stack: z.string(),
    stackId: z.string(),
    driver: z.string(),
    since: Time.meta({ description: 'when a run has claimed it last' }),
  })
  .meta({ id: 'ManagedPlace' })
