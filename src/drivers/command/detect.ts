import type { Detected } from '../proposal.ts'

/** Nothing in a repository says by itself that a command manages it. */
export const detect = async (): Promise<Detected> => ({ stacks: [], leftOut: [] })
