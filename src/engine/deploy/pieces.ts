import type { Tx } from '../../store/database/context.ts'
import type { Store } from '../../store/open.ts'

/** Part of a step that is written as a whole. */
export interface Piece {
  /** How many stacks it is about: what it costs. */
  stacks: number
  write(tx: Tx): Promise<void>
}

/** Stacks of one transaction: some 20 ms, in which nobody else writes. */
export const STACKS_AT_ONCE = 100

/** The same work in parts of at most so many stacks, in their order. */
export function inPieces<Item>(
  items: readonly Item[],
  write: (tx: Tx, items: readonly Item[]) => Promise<void>,
): Piece[] {
  const pieces: Piece[] = []
  for (let from = 0; from < items.length; from += STACKS_AT_ONCE) {
    const part = items.slice(from, from + STACKS_AT_ONCE)
    pieces.push({ stacks: part.length, write: (tx) => write(tx, part) })
  }
  return pieces
}

/**
 * Writes pieces one after the other, as many in one transaction as stay small: work of a few stacks is one. `before` begins
 * each transaction, and ends everything with false.
 */
export async function writePieces(
  store: Store,
  pieces: readonly Piece[],
  before: (tx: Tx, more: { isLast: boolean }) => Promise<boolean>,
): Promise<void> {
  for (let next = 0; next < pieces.length; ) {
    let end = next + 1
    for (let stacks = pieces[next]!.stacks; end < pieces.length; end++) {
      stacks += pieces[end]!.stacks
      if (stacks > STACKS_AT_ONCE) break
    }
    const part = pieces.slice(next, end)
    const goOn = await store.transaction(async (tx) => {
      if (!(await before(tx, { isLast: end === pieces.length }))) return false
      for (const piece of part) await piece.write(tx)
      return true
    })
    if (!goOn) return
    next = end
  }
}
