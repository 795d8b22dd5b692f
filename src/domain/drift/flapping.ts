import { byText } from '../plans/order.ts'

export interface Heal {
  address: string
  attribute: string
  /** Milliseconds. */
  at: number
}

export const FLAPPING = { times: 5, windowMs: 10 * 60_000 } as const

/**
 * Attributes that were healed at least `times` within the window that ends at `now`: something else keeps writing them,
 * and healing on would only quarrel with it. The most often healed come first.
 */
export function flapping(
  heals: readonly Heal[],
  limits: { times: number; windowMs: number },
  now: number,
): { address: string; attribute: string; count: number }[] {
  const counts = new Map<string, { address: string; attribute: string; count: number }>()
  for (const { address, attribute, at } of heals) {
    if (at <= now - limits.windowMs || at > now) continue
    const key = JSON.stringify([address, attribute])
    const count = (counts.get(key)?.count ?? 0) + 1
    counts.set(key, { address, attribute, count })
  }
  return [...counts.values()]
    .filter(({ count }) => count >= limits.times)
    .sort(byText(({ address, attribute }) => JSON.stringify([address, attribute])))
    .sort((a, b) => b.count - a.count)
}
