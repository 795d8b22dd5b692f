import type { RecordedDeed } from './deeds.ts'

/** Where the object at an address comes from. */
export interface Origin {
  how: 'created' | 'adopted' | 'found' | 'unknown'
  /** The run that made or adopted it; null where that is not on record. */
  runId: string | null
  /** Runs that moved it from one address to another since, newest first. */
  moves: { runId: string; from: string }[]
  /** Runs whose replacement of it failed: it may be the object that one of them has made. */
  replacing: string[]
}

/** @param deeds of the stack, oldest first. Those of addresses that it was moved from have to be among them. */
export function originOf(address: string, deeds: readonly RecordedDeed[]): Origin {
  const moves: Origin['moves'] = []
  const replacing: string[] = []
  let at = address
  let healed: string | null = null
  const end = (how: Origin['how'], runId: string | null): Origin => ({ how, runId, moves, replacing })
  for (const deed of deeds.toReversed()) {
    // A run moves before all else: what it did at the former address came after this object had left it.
    if (deed.address !== at || deed.runId === moves.at(-1)?.runId) continue
    switch (deed.did) {
      case 'moved':
        moves.push({ runId: deed.runId, from: deed.from! })
        at = deed.from!
        break
      case 'created':
      case 'attempted':
        if (deed.kind !== 'heal') return end('created', deed.runId)
        // A heal makes again what was there: it stays what it was to those who wanted it.
        healed ??= deed.runId
        break
      case 'replacing':
        if (deed.kind !== 'heal') replacing.push(deed.runId)
        break
      case 'adopted':
      case 'found':
        return end(deed.did, deed.runId)
      case 'forgot':
      case 'deleted':
        return healed === null ? end('unknown', null) : end('created', healed)
    }
  }
  return healed === null ? end('unknown', null) : end('created', healed)
}
