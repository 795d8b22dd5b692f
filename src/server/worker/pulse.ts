/** What beats once in each round of a pulse. */
export interface Beating {
  beat(): void
}

/** One timer for thousands: each member beats once a round, at the place of the round at which it came. */
export interface Pulse {
  add(member: Beating): void
  remove(member: Beating): void
  close(): void
}

/** Groups of a round; the members of one beat in the same turn of the event loop. */
const GROUPS = 60

export function startPulse(roundMs: number): Pulse {
  const groups = Array.from({ length: GROUPS }, () => new Set<Beating>())
  const placed = new WeakMap<Beating, Set<Beating>>()
  let at = 0
  const timer = setInterval(() => {
    at = (at + 1) % GROUPS
    for (const member of groups[at]!) member.beat()
  }, roundMs / GROUPS)
  timer.unref()
  return {
    add(member) {
      const group = groups[at]!
      group.add(member)
      placed.set(member, group)
    },
    remove: (member) => void placed.get(member)?.delete(member),
    close: () => clearInterval(timer),
  }
}
