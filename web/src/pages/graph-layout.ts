/** What the layout needs to know of a stack. */
export interface GraphStack {
  id: string
  environment: string
  name: string
  needs: readonly string[]
}
export interface GraphEdge {
  from: string
  to: string
}

const COLUMN_PX = 260
const ROW_PX = 52
/** Stacks that nothing binds stand in a block of so many columns. */
const LOOSE_COLUMNS = 4

/** An edge for each need that is among the stacks: from what is needed to what needs it. */
export function edgesOf(stacks: readonly GraphStack[]): GraphEdge[] {
  const byKey = new Map(stacks.map((stack) => [`${stack.environment}/${stack.name}`, stack.id]))
  return stacks.flatMap((stack) =>
    stack.needs.flatMap((need) => {
      const from = byKey.get(need) ?? byKey.get(`${stack.environment}/${need}`)
      return from === undefined ? [] : [{ from, to: stack.id }]
    }),
  )
}

/** Layers from left to right, each stack right of everything that it needs; below them what is bound to nothing. */
export function placesOf(
  stacks: readonly GraphStack[],
  edges: readonly GraphEdge[],
): Map<string, { x: number; y: number }> {
  const needs = Map.groupBy(edges, ({ to }) => to)
  const layers = new Map<string, number>()
  const layerOf = (id: string, path: ReadonlySet<string>): number => {
    const known = layers.get(id)
    if (known !== undefined) return known
    // The server refuses circles; a half-written list must not hang the page all the same.
    if (path.has(id)) return 0
    const below = (needs.get(id) ?? []).map(({ from }) => layerOf(from, new Set([...path, id])) + 1)
    const layer = Math.max(0, ...below)
    layers.set(id, layer)
    return layer
  }
  const bound = new Set(edges.flatMap(({ from, to }) => [from, to]))
  const rows: number[] = []
  const places = new Map<string, { x: number; y: number }>()
  for (const { id } of stacks.filter((stack) => bound.has(stack.id))) {
    const layer = layerOf(id, new Set())
    rows[layer] = (rows[layer] ?? -1) + 1
    places.set(id, { x: layer * COLUMN_PX, y: rows[layer]! * ROW_PX })
  }
  const top = rows.length === 0 ? 0 : (Math.max(...rows.map((row) => row ?? 0)) + 2) * ROW_PX
  for (const [at, { id }] of stacks.filter((stack) => !bound.has(stack.id)).entries())
    places.set(id, { x: (at % LOOSE_COLUMNS) * COLUMN_PX, y: top + Math.floor(at / LOOSE_COLUMNS) * ROW_PX })
  return places
}
