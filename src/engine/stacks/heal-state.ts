import { FIRST_HEAL, type HealState } from '../../domain/drift/backoff.ts'
import type { JsonObject } from '../../lib/json.ts'
import type { Stack } from '../../store/stacks/stacks.ts'

/** Something else keeps writing this attribute, so it is no longer healed by itself. */
export interface Fight {
  address: string
  attribute: string
  /** Heals within the window of `FLAPPING`. */
  count: number
}

/** What is kept of a stack's heals, in `stacks.healBackoff`. */
export interface StackHeals extends HealState {
  /** Set when healing was stopped; until a person heals, a deployment succeeds, or the drift is gone. */
  fight?: Fight
}

export const healsOf = (stack: Pick<Stack, 'healBackoff'>): StackHeals =>
  (stack.healBackoff as unknown as StackHeals | null) ?? FIRST_HEAL
export const healsToJson = (heals: StackHeals): JsonObject => heals as unknown as JsonObject

export const describeFight = ({ address, attribute, count }: Fight): string =>
  `something else keeps writing ${attribute ? `${address}: ${attribute}` : address}: healed ${count} times in ten minutes, and no more until a person heals it`
