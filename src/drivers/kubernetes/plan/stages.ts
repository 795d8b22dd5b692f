import type { Step } from './steps.ts'

/** Steps that may run at once, and whether they have to be healthy before the next ones begin. */
export interface Stage {
  steps: Step[]
  /** One after the other, by weight: hooks. */
  inOrder: boolean
  /** `healthy`, or `gone` for deletions. */
  waits: 'healthy' | 'gone' | null
}

/**
 * The order of an apply: namespaces and definitions; hooks before; the waves, each from what workloads use to what
 * intercepts others; deletions, when what replaces them is healthy, the last wave first and in it dependants first; hooks
 * after. Within a stage everything runs at once.
 */
export function stagesOf(steps: readonly Step[]): Stage[] {
  const applied = steps.filter(({ act }) => act === 'create' || act === 'update' || act === 'replace')
  const first = applied.filter(({ rank }) => rank === 0)
  const waves = Map.groupBy(
    applied.filter(({ rank }) => rank !== 0),
    ({ wave }) => wave,
  )
  const order = [...waves.keys()].toSorted((a, b) => a - b)
  const after = hooks(steps, 'after')
  const deletions = steps.filter(({ act }) => act === 'delete')
  return [
    { steps: first, inOrder: false, waits: 'healthy' as const },
    { steps: hooks(steps, 'before'), inOrder: true, waits: null },
    ...order.flatMap((wave, at) =>
      stagesOfWave(waves.get(wave) ?? [], at < order.length - 1 || after.length > 0 || deletions.length > 0),
    ),
    ...stagesOfDeletion(deletions),
    { steps: after, inOrder: true, waits: null },
    { steps: steps.filter(({ act }) => act === 'forget' || act === 'inventory'), inOrder: false, waits: null },
  ].filter((stage) => stage.steps.length > 0)
}

/** The barrier of a wave waits for all of the wave. */
function stagesOfWave(steps: readonly Step[], waits: boolean): Stage[] {
  const ranks = [1, 2, 3].map((rank) => steps.filter((step) => step.rank === rank)).filter(({ length }) => length > 0)
  return ranks.map((same, at) => ({
    steps: same,
    inOrder: false,
    waits: waits && at === ranks.length - 1 ? 'healthy' : null,
  }))
}

/** As they came, backwards. Namespaces and definitions go last whatever their wave: they take others with them. */
function stagesOfDeletion(steps: readonly Step[]): Stage[] {
  const place = ({ rank, wave }: Step): string => (rank === 0 ? '0' : `${wave} ${rank}`)
  const ordered = steps.toSorted(
    (a, b) => Number(a.rank === 0) - Number(b.rank === 0) || b.wave - a.wave || b.rank - a.rank,
  )
  const last = Math.min(...steps.map(({ wave }) => wave))
  return [...Map.groupBy(ordered, place).values()].map((same) => ({
    steps: same.map((step) => (step.wave > last ? { ...step, dependantsFirst: true } : step)),
    inOrder: false,
    waits: 'gone',
  }))
}

const hooks = (steps: readonly Step[], when: 'before' | 'after'): Step[] =>
  steps
    .filter(({ act, hook }) => act === 'hook' && hook?.when === when)
    .toSorted((a, b) => (a.hook?.weight ?? 0) - (b.hook?.weight ?? 0) || (a.address < b.address ? -1 : 1))
