import type { AppliedResource, ResourceChange } from '../../../domain/plans/plan.ts'
import type { Diagnostic } from '../tool/diagnostics.ts'
import type { ToolEvent } from '../tool/events.ts'

/** Follows the events of an apply, to say of each planned resource what became of it. */
export interface AppliedTracker {
  onEvent(event: ToolEvent): void
  /** Something was begun: from here on the world may have changed. */
  started(): boolean
  /** Every change that has events of its own was completed. */
  allDone(): boolean
  resources(end: { succeeded: boolean; diagnostics: readonly Diagnostic[] }): AppliedResource[]
}

/** A replacement is done when both of its halves are; anything else after one. */
const STEPS: { [action: string]: number } = { replace: 2, create: 1, update: 1, delete: 1 }

/** @param changes the plan that is being applied. */
export function trackApplied(changes: readonly ResourceChange[]): AppliedTracker {
  const completed = new Map<string, number>()
  const failed = new Set<string>()
  let begun = false

  const isDone = (change: ResourceChange): boolean =>
    (completed.get(plainAddress(change)) ?? 0) >= stepsOf(change) && !failed.has(plainAddress(change))
  return {
    onEvent: (event) => {
      const address = event.hook?.resource?.addr
      if (address === undefined) return
      if (event.type === 'apply_start') begun = true
      if (event.type === 'apply_complete') completed.set(address, (completed.get(address) ?? 0) + 1)
      if (event.type === 'apply_errored') failed.add(address)
    },
    started: () => begun,
    allDone: () => changes.every(isDone),
    resources: ({ succeeded, diagnostics }) =>
      changes.map((change) => {
        const { address, actions } = change
        if (succeeded) return { address, actions, status: 'done' }
        // Without events of its own (an output, a move, a forget) it is known to be done only when all is.
        if (stepsOf(change) > 0 && isDone(change)) return { address, actions, status: 'done' }
        const message = messageFor(plainAddress(change), diagnostics)
        if (failed.has(plainAddress(change)) || message !== null) {
          return { address, actions, status: 'failed', message: message ?? 'the tool reported an error' }
        }
        return { address, actions, status: 'skipped' }
      }),
  }
}

/** A move alone has an `update` without attributes and no events. */
function stepsOf(change: ResourceChange): number {
  if (change.type === 'output') return 0
  if (change.previousAddress !== undefined && change.attributes.length === 0) return 0
  return Math.max(0, ...change.actions.map((action) => STEPS[action] ?? 0))
}

/** Events name a deposed object by the address of the current one. */
const plainAddress = (change: ResourceChange): string => change.address.replace(/ \(deposed \w+\)$/, '')

function messageFor(address: string, diagnostics: readonly Diagnostic[]): string | null {
  const own = diagnostics.find((diagnostic) => diagnostic.severity === 'error' && diagnostic.address === address)
  if (own === undefined) return null
  return own.detail === '' ? own.summary : `${own.summary}: ${own.detail}`
}
