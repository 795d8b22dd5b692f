import { type EnvironmentKind, listed, warning } from './kind.ts'

/** What takes a rollback out of the fast lane. The approvals that it then needs are asked for by `approvals`. */
export const rollback: EnvironmentKind = ({ environment: { name: environment }, stacks }) => {
  const held = stacks.filter((stack) => stack.rollbackDestroys !== undefined)
  if (held.length === 0) return []
  const what = held.map(({ name, rollbackDestroys }) => `${name}: ${rollbackDestroys}`)
  const next =
    'A person has to approve this very plan; where it should not be destroyed, close this and write the way back by hand.'
  return [warning('rollback', `no fast lane: ${listed(what)}`, next, environment)]
}
