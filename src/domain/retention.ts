import { z } from 'zod'

export const DAY_MS = 86_400_000

/** How long something is kept: what is over one of the two goes, and without both it is kept for good. */
export const Kept = z.strictObject({
  days: z.int().min(1).max(36_500).nullable().meta({ description: 'days after its end; null: whatever its age' }),
  count: z
    .int()
    .min(1)
    .max(1_000_000_000)
    .nullable()
    .meta({ description: 'how many of the newest; null: however many' }),
})
export type Kept = z.infer<typeof Kept>

/**
 * What is kept how long. Counts are of one stack, except of `states`, where they are versions of one state, and of `audit`,
 * where they are events of the server. Deployments, heals and destructions, with what they applied, are kept for good.
 */
export const Retention = z.strictObject({
  logs: Kept.meta({ description: 'logs of runs' }),
  plans: Kept.meta({ description: 'plans and results of previews and drift checks' }),
  previews: Kept.meta({ description: 'previews themselves' }),
  checks: Kept.meta({ description: 'drift checks themselves' }),
  states: Kept.meta({ description: 'versions of Terraform states; the current one stays' }),
  audit: Kept.meta({ description: 'audit events in the database; then they leave for an archive' }),
})
export type Retention = z.infer<typeof Retention>
export type RetentionKind = keyof Retention
export const RETENTION_KINDS = Retention.keyof().options

/**
 * Half a year of logs, and more than a year of what was looked at: an auditor asks for the year that has ended. Seven years of
 * audit, as long as the strictest of the usual rules asks for (Sarbanes-Oxley; HIPAA asks for six, PCI DSS for one). Of
 * states, tools store at most one every 20 s during an apply: 270 versions are an hour and a half, and ten of those stay.
 */
export const DEFAULT_RETENTION: Retention = {
  logs: { days: 180, count: null },
  plans: { days: 180, count: null },
  previews: { days: 400, count: null },
  checks: { days: 400, count: null },
  states: { days: null, count: 2_700 },
  audit: { days: 2_557, count: null },
}
