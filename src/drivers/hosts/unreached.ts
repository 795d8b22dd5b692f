import type { Coverage, Finding } from '../../domain/plans/plan.ts'
import type { HostOutcome } from './each.ts'

/** A host that was not looked at is not in sync, whatever the others are. */
export const unreached = (outcomes: readonly HostOutcome<unknown>[]): Coverage['unchecked'] =>
  outcomes.flatMap(({ name, error }) => {
    if (error === undefined) return []
    const unreachable = error.code === 'TARGET_UNREACHABLE'
    return [{ address: name, why: error.text.why, ...(unreachable ? { unreachable } : { failed: true }) }]
  })

export const unreachedFindings = (outcomes: readonly HostOutcome<unknown>[]): Finding[] =>
  outcomes.flatMap(({ error }) =>
    error === undefined
      ? []
      : [{ severity: 'warning' as const, code: error.code.toLowerCase(), message: `${error.message}. ${error.next}` }],
  )
