import type { StackKey } from './stack.ts'
import type { StackDefinition } from './definition.ts'

type Node = Pick<StackDefinition, 'key' | 'needs'>

/**
 * One cycle of a directed graph as the nodes along it, first and last the same (`['a', 'b', 'a']`), or null. Edges to
 * unknown nodes are followed too and lead nowhere. Deterministic: the cycle met first in the given order. Linear, and
 * with its own stack, so that a chain of 20,000 does not overflow the call stack.
 */
export function findCycle(nodes: Iterable<string>, edges: (node: string) => readonly string[]): string[] | null {
  const done = new Set<string>()
  for (const root of nodes) {
    if (done.has(root)) continue
    const path: { node: string; next: number }[] = [{ node: root, next: 0 }]
    const onPath = new Set([root])
    while (path.length > 0) {
      const top = path.at(-1)!
      const target = edges(top.node)[top.next++]
      if (target === undefined) {
        path.pop()
        onPath.delete(top.node)
        done.add(top.node)
      } else if (onPath.has(target)) {
        const names = path.map((step) => step.node)
        return [...names.slice(names.indexOf(target)), target]
      } else if (!done.has(target)) {
        path.push({ node: target, next: 0 })
        onPath.add(target)
      }
    }
  }
  return null
}

/**
 * The stacks in waves: each wave needs only stacks of earlier ones, and within a wave the given order is kept. Needs that
 * are not among the stacks are met already. Throws RangeError on a cycle (discovery has refused those).
 */
export function levels<S extends Node>(stacks: readonly S[]): S[][] {
  const dependants = dependantLists(stacks)
  const open = new Map(stacks.map((stack) => [stack.key, 0]))
  for (const keys of dependants.values()) for (const key of keys) open.set(key, open.get(key)! + 1)

  const position = new Map(stacks.map((stack, index) => [stack.key, index]))
  const waves: S[][] = []
  let wave = stacks.filter((stack) => open.get(stack.key) === 0)
  let placed = 0
  while (wave.length > 0) {
    waves.push(wave)
    placed += wave.length
    const next: number[] = []
    for (const stack of wave) {
      for (const key of dependants.get(stack.key) ?? []) {
        const left = open.get(key)! - 1
        open.set(key, left)
        if (left === 0) next.push(position.get(key)!)
      }
    }
    wave = next.sort((a, b) => a - b).map((index) => stacks[index]!)
  }
  if (placed < stacks.length) throw new RangeError('the stacks need each other in a cycle, or a key stands twice')
  return waves
}

/** The stacks so that each comes after what it needs; independent ones keep their given order within a wave. */
export function topological<S extends Node>(stacks: readonly S[]): S[] {
  return levels(stacks).flat()
}

/** Every stack that directly or indirectly needs one of the given ones; the given ones only if they need another. */
export function dependantsOf(keys: Iterable<StackKey>, stacks: readonly Node[]): Set<StackKey> {
  const dependants = dependantLists(stacks)
  return reach(keys, (key) => dependants.get(key) ?? [])
}

/** Every stack that the given ones directly or indirectly need, as far as it is among the stacks. */
export function upstreamOf(keys: Iterable<StackKey>, stacks: readonly Node[]): Set<StackKey> {
  const byKey = new Map(stacks.map((stack) => [stack.key, stack]))
  return reach(keys, (key) => (byKey.get(key)?.needs ?? []).filter((needed) => byKey.has(needed)))
}

/** key → the stacks that need it directly, each once, in the given order. */
function dependantLists(stacks: readonly Node[]): Map<StackKey, StackKey[]> {
  const known = new Set(stacks.map((stack) => stack.key))
  const lists = new Map<StackKey, StackKey[]>()
  for (const stack of stacks) {
    for (const needed of new Set(stack.needs)) {
      if (!known.has(needed)) continue
      const list = lists.get(needed)
      if (list) list.push(stack.key)
      else lists.set(needed, [stack.key])
    }
  }
  return lists
}

function reach(from: Iterable<StackKey>, edges: (key: StackKey) => readonly StackKey[]): Set<StackKey> {
  const reached = new Set<StackKey>()
  const waiting = [...from]
  for (let key = waiting.pop(); key !== undefined; key = waiting.pop()) {
    for (const next of edges(key)) {
      if (reached.has(next)) continue
      reached.add(next)
      waiting.push(next)
    }
  }
  return reached
}
