import type { Quarantine } from '../server/schemas/stacks.ts'

/** One quarantine in a line: what is not deployed or healed, by which rollback and why, and the id that lifts it. */
export function quarantineLine({ id, stack, commit, mr, reason }: Quarantine): string {
  const by = mr === null ? '' : ` by !${mr}`
  return `In quarantine${by}: ${commit.slice(0, 10)} of ${stack}: ${reason} (lift it: trueup stack unquarantine ${id})`
}
