import type { Schemas } from '../api/client.ts'

type Plan = Schemas['Plan']
export type Change = Plan['changes'][number]
type Seen = Pick<Plan, 'changes' | 'coverage'>

/** How one plan differs from another: what is planned besides, what is planned no more, and what is planned otherwise. */
export interface PlanChange {
  more: Change[]
  less: Change[]
  other: { before: Change; after: Change }[]
  /** Changes that both plans hold. */
  same: number
  /** What only one of them could not look at. */
  unchecked: { more: string[]; less: string[] }
}

/** What a change does, as a text: equal where two changes do the same to what they are about. */
export const transitionOf = ({ actions, attributes }: Change): string =>
  JSON.stringify([
    actions,
    [...attributes]
      .sort((a, b) => (a.path < b.path ? -1 : 1))
      .map(({ path, before, after, sensitive, unknown }) => [path, before, after, !!sensitive, !!unknown]),
  ])

export function comparePlans(before: Seen, after: Seen): PlanChange {
  const old = new Map(before.changes.map((change) => [change.address, change]))
  const fresh = new Set(after.changes.map(({ address }) => address))
  const found: PlanChange = {
    more: [],
    less: before.changes.filter(({ address }) => !fresh.has(address)),
    other: [],
    same: 0,
    unchecked: uncheckedOf(before, after),
  }
  for (const change of after.changes) {
    const was = old.get(change.address)
    if (!was) found.more.push(change)
    else if (transitionOf(was) === transitionOf(change)) found.same++
    else found.other.push({ before: was, after: change })
  }
  return found
}

function uncheckedOf(before: Seen, after: Seen): PlanChange['unchecked'] {
  const [old, fresh] = [before, after].map(({ coverage }) => coverage.unchecked.map(({ address }) => address))
  return {
    more: fresh!.filter((address) => !old!.includes(address)),
    less: old!.filter((address) => !fresh!.includes(address)),
  }
}

/** The same transition in several places. */
export interface Transition {
  change: Change
  places: { stack: string; address: string }[]
}

/** Over many plans: equal transitions as one, those in most places first. */
export function transitionsOf(plans: readonly { stack: string; plan: Pick<Plan, 'changes'> }[]): Transition[] {
  const found = new Map<string, Transition>()
  for (const { stack, plan } of plans)
    for (const change of plan.changes) {
      const key = `${change.type} ${transitionOf(change)}`
      const known = found.get(key) ?? { change, places: [] }
      known.places.push({ stack, address: change.address })
      found.set(key, known)
    }
  return [...found.values()].sort((a, b) => b.places.length - a.places.length)
}
