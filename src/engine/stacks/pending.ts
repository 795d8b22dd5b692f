import type { RunState } from '../../domain/run.ts'

/** States of a run that has not ended. */
export const PENDING_STATES = [
  'queued',
  'leased',
  'preparing',
  'planning',
  'awaiting_approval',
  'applying',
  'verifying',
  'blocked',
] as const satisfies RunState[]

/** Kinds that change the world: one at a time for a stack. */
export const CHANGING_KINDS = ['deploy', 'heal', 'destroy'] as const
