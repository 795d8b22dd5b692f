import { z } from 'zod'

/** `oldest`: the tools on PATH, as `npm run tools` installs them; the others are those of scripts/tools/newest.ts. */
const ToolSet = z.enum(['oldest', 'newest', 'unreleased'])
export type ToolSet = z.infer<typeof ToolSet>

export const Column = z.object({
  driver: z.string(),
  set: ToolSet,
  /** Tool, version and target. */
  against: z.string(),
  /** On which day it ran, as `2026-11-30`. */
  day: z.string(),
  /** Properties that cannot be asked of it, and why. */
  exempt: z.record(z.string(), z.string()),
  /** Whether each property that was asked holds. */
  passed: z.record(z.string(), z.boolean()),
})
/** One driver against one tool and target. */
export type Column = z.infer<typeof Column>

/**
 * What was known, with what was found now in the place of the same driver's on the same set of tools: a run of one driver,
 * or on one set, leaves the others as they are. A target that has no newer version is kept once, as the oldest.
 */
export function mergeResults(kept: readonly Column[], made: readonly Column[]): Column[] {
  const groupOf = ({ driver, set }: Column): string => `${driver} ${set}`
  const replaced = new Set(made.map(groupOf))
  const all = [...kept.filter((column) => !replaced.has(groupOf(column))), ...made]
  const nameOf = ({ driver, against }: Column): string => `${driver} ${against}`
  const oldest = new Set(all.filter(({ set }) => set === 'oldest').map(nameOf))
  return all
    .filter((column) => column.set === 'oldest' || !oldest.has(nameOf(column)))
    .toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1))
}
