import type { Schemas } from '../../api/client.ts'
import { t } from '../../strings/stack.ts'

export type Resource = Schemas['StackResources']['items'][number]
export type Health = Resource['health']

/** A node of the graph: a resource, the group that holds it, or what of a group is not drawn one by one. */
export interface TreeNode {
  id: string
  kind: 'group' | 'resource' | 'rest'
  label: string
  health: Health
  why: string | null
  run: string | null
  /** Resources of a group, or resources that `rest` stands for. */
  count: number
  x: number
  y: number
}
export interface TreeEdge {
  from: string
  to: string
  /** `holds`: a group its resources; `needs`: a resource what it depends on. */
  kind: 'holds' | 'needs'
}

const COLUMN_PX = 300
const ROW_PX = 40
/** Resources of a group that are drawn before the healthy ones are summed up; those with something the matter are always drawn. */
const DRAWN = 12
const WORST: readonly Health[] = ['failed', 'drifted', 'unchecked', 'unknown', 'ok']
const worst = (all: readonly Resource[]): Health =>
  WORST.find((health) => all.some((each) => each.health === health)) ?? 'unknown'

/**
 * What holds a resource by its address: a directory, a host, a module, a type; the address itself where nothing does. `dotted`:
 * the parts of a name stand between dots, which in the name of a file they do not.
 */
export function groupOf(address: string, dotted: boolean): string {
  const bare = address.replace(/\[[^\]]*\]$/, '')
  const host = bare.indexOf(': ')
  if (host > 0) return bare.slice(0, host)
  const slash = bare.lastIndexOf('/')
  if (slash > 0) return bare.slice(0, slash)
  const dot = dotted ? bare.lastIndexOf('.') : -1
  return dot > 0 ? bare.slice(0, dot) : bare
}

/** A resource without the key of its instance, as states name what a resource needs. */
const withoutKey = (address: string): string => address.replaceAll(/\[(?:"(?:[^"\\]|\\.)*"|\d+)\]/g, '')

/**
 * Groups in a column, their resources in the next; `open`: groups of which everything is drawn. `needs`: resource → what it
 * depends on, where that is known.
 */
export function treeOf(
  resources: readonly Resource[],
  open: ReadonlySet<string>,
  needs: ReadonlyMap<string, readonly string[]>,
  dotted: boolean,
): { nodes: TreeNode[]; edges: TreeEdge[] } {
  const nodes: TreeNode[] = []
  const edges: TreeEdge[] = []
  let row = 0
  const groups = [...Map.groupBy(resources, ({ address }) => groupOf(address, dotted))]
  for (const [group, all] of groups.sort(([, a], [, b]) => WORST.indexOf(worst(a)) - WORST.indexOf(worst(b)))) {
    const id = `group ${group}`
    const ill = all.filter(({ health }) => health !== 'ok')
    const drawn = open.has(group) || all.length <= DRAWN ? all : ill
    const rest = all.length - drawn.length
    const rows = drawn.length + (rest > 0 ? 1 : 0)
    const base = { why: null, run: null }
    const middle = row + (rows - 1) / 2
    const x = COLUMN_PX
    nodes.push({
      ...base,
      id,
      kind: 'group',
      label: group,
      health: worst(all),
      count: all.length,
      x: 0,
      y: middle * ROW_PX,
    })
    for (const { address, health, why, run } of drawn) {
      nodes.push({ id: address, kind: 'resource', label: address, health, why, run, count: 1, x, y: row++ * ROW_PX })
      edges.push({ from: id, to: address, kind: 'holds' })
    }
    if (rest > 0) {
      const restId = `rest ${group}`
      const label = drawn.length > 0 ? t.andMore(rest) : t.allRest(rest)
      nodes.push({ ...base, id: restId, kind: 'rest', label, health: 'ok', count: rest, x, y: row++ * ROW_PX })
      edges.push({ from: id, to: restId, kind: 'holds' })
    }
    row += 0.6
  }
  const drawn = Map.groupBy(
    nodes.filter(({ kind }) => kind === 'resource'),
    ({ id }) => withoutKey(id),
  )
  for (const [address, needed] of needs) {
    if (!nodes.some(({ id }) => id === address)) continue
    for (const name of needed)
      for (const { id } of drawn.get(withoutKey(name)) ?? [])
        if (id !== address) edges.push({ from: id, to: address, kind: 'needs' })
  }
  return { nodes, edges }
}
