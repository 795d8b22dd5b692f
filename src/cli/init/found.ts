import type { Proposal } from '../../drivers/proposal.ts'

/** A place that could be a stack, and the driver that says so. */
export interface Found extends Proposal {
  driver: string
}
