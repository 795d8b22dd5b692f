import type { RecordedDeed } from './deeds.ts'

/** Where the object at an address comes from. */
export interface Origin {
  how: 'created' | 'adopted' | 'found' | 'unknown'
  /** The run that made or adopted it; null where that is not on record. */
  runId: string | null
  /** Runs that moved it from one address to another since, newest first. */
  moves: { runId: string; from: string }[]
}

/** @param deeds of the stack, oldest first. Those of addresses that it was moved from have to be among them. */
export function originOf(address: string, deeds: readonly RecordedDeed[]): Origin {
  const moves: Origin['moves'] = []
  let at = address
  let healed: string | null = null
  for (const deed of deeds.toReversed()) {
    if (deed.address !== at) continue
    switch (deed.did) {
      case 'moved':
        moves.push({ runId: deed.runId, from: deed.from! })
        at = deed.from!
        break
      case 'created':
        if (deed.kind !== 'heal') return { how: 'created', runId: deed.runId, moves }
        // A heal makes again what was there: it stays what it was to those who wanted it.
        healed ??= deed.runId
        break
      case 'adopted':
      case 'found':
        return { how: deed.did, runId: deed.runId, moves }
      case 'forgot':
      case 'deleted':
        return healed === null ? { how: 'unknown', runId: null, moves } : { how: 'created', runId: healed, moves }
    }
  }
  return healed === null ? { how: 'unknown', runId: null, moves } : { how: 'created', runId: healed, moves }
}
