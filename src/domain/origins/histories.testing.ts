import fc from 'fast-check'
import type { Action, AppliedResource, ResourceChange } from '../plans/plan.ts'
import { deedsOf, type RecordedDeed, tellsOrigin } from './deeds.ts'

/** An object as it really is: the run that made it; null: it was there before, or somebody made it by hand. */
export interface Thing {
  maker: number | null
}

type Status = AppliedResource['status']

/** What a run is to do at one address, as drawn; it does what of it makes sense there. `vanish`: taken away by hand before it. */
interface Wish {
  address: string
  what: 'make' | 'adopt' | 'change' | 'replace' | 'remove' | 'forget' | 'move' | 'vanish'
  to: string
  status: Status
  /** Whether what failed has had its effect all the same. */
  slipped: boolean
}

export interface DrawnRun {
  heal: boolean
  /** Nobody heard how it ended. */
  lost: boolean
  wishes: Wish[]
}

const ADDRESSES = ['a', 'b', 'c', 'd'] as const

const wish: fc.Arbitrary<Wish> = fc.record({
  address: fc.constantFrom(...ADDRESSES),
  what: fc.constantFrom('make', 'make', 'adopt', 'change', 'replace', 'remove', 'forget', 'move', 'move', 'vanish'),
  to: fc.constantFrom(...ADDRESSES),
  status: fc.constantFrom<Status>('done', 'done', 'done', 'failed', 'skipped'),
  slipped: fc.boolean(),
})

const seldom = (times: number): fc.Arbitrary<boolean> => fc.nat(times).map((n) => n === times)

export interface History {
  /** The tool knows what it manages: it imports, moves, lets go of, and changes nothing else. Others change what they find. */
  records: boolean
  runs: DrawnRun[]
}

export const history: fc.Arbitrary<History> = fc.record({
  records: fc.boolean(),
  runs: fc.array(
    fc.record({ heal: seldom(4), lost: seldom(7), wishes: fc.array(wish, { minLength: 1, maxLength: 4 }) }),
    { minLength: 1, maxLength: 7 },
  ),
})

export interface Lived {
  world: Map<string, Thing>
  deeds: RecordedDeed[]
}

interface Moment {
  run: number
  heal: boolean
  lost: boolean
  records: boolean
  world: Map<string, Thing>
  /** Whose is what vanished: a heal makes that, and nothing else. */
  owed: Map<string, number | null>
  changes: Map<string, ResourceChange>
  became: Map<string, AppliedResource>
}

/** What is really where after these runs, and what they have left on record. */
export function live({ records, runs }: History): Lived {
  const world = new Map<string, Thing>()
  const owed: Moment['owed'] = new Map()
  const deeds: RecordedDeed[] = []
  let isHalfWay = false
  for (const [run, { heal, lost, wishes }] of runs.entries()) {
    // What a deployment left half-way is not healed.
    if (heal && isHalfWay) continue
    const moment: Moment = { run, heal, lost, records, world, owed, changes: new Map(), became: new Map() }
    for (const { what, address } of wishes) if (what === 'vanish') vanish(moment, address)
    if (!heal && records) moveAll(moment, wishes)
    for (const each of wishes) doOne(moment, each)
    if (!heal) isHalfWay = lost || [...moment.became.values()].some(({ status }) => status !== 'done')
    const changes = [...moment.changes.values()].sort((one, two) => (one.address < two.address ? -1 : 1))
    for (const deed of deedsOf({ changes }, lost ? null : [...moment.became.values()])) {
      const known = deeds.filter(({ address }) => address === deed.address)
      if (deed.did === 'found' && tellsOrigin(known)) continue
      deeds.push({ ...deed, runId: String(run), kind: heal ? 'heal' : 'deploy' })
    }
  }
  return { world, deeds }
}

function vanish({ world, owed }: Moment, address: string): void {
  const thing = world.get(address)
  if (!thing) return
  owed.set(address, thing.maker)
  world.delete(address)
}

/** A run moves before all else, so that places become free for what it makes, and for other moves. */
function moveAll({ world, owed, changes, became }: Moment, wishes: readonly Wish[]): void {
  const before = new Map(world)
  const [left, taken] = [new Set<string>(), new Set<string>()]
  for (const { what, address: from, to } of wishes) {
    const thing = before.get(from)
    if (what !== 'move' || from === to || !thing || left.has(from) || taken.has(to)) continue
    if (before.has(to) && !left.has(to)) continue
    if (!taken.has(from)) world.delete(from)
    world.set(to, thing)
    left.add(from)
    taken.add(to)
    owed.delete(to)
    changes.set(to, changed(to, [], from))
    became.set(to, { address: to, actions: [], status: 'done' })
  }
}

function doOne(moment: Moment, { address, what, status, slipped }: Wish): void {
  const { run, heal, lost, world, owed, changes, became } = moment
  const thing = world.get(address)
  const from = changes.get(address)?.previousAddress
  if (changes.has(address) && !(what === 'replace' && from !== undefined)) return
  const action = actionFor(what, address, moment)
  if (action === null) return
  changes.set(address, changed(address, [action], from))
  became.set(address, { address, actions: [action], status })
  const isDone = status === 'done' || (status === 'failed' && slipped)
  switch (action) {
    case 'create':
      if (isDone) world.set(address, { maker: heal ? owed.get(address)! : run })
      if (isDone) owed.delete(address)
      break
    case 'replace':
      if (isDone && !heal) world.set(address, { maker: run })
      break
    case 'delete':
      if (!isDone) break
      world.delete(address)
      // Nobody has heard of it: to the record it has vanished.
      if (status !== 'done' || lost) owed.set(address, thing!.maker)
      break
    case 'forget':
      world.delete(address)
      break
    case 'import':
    case 'update':
      if (!thing) world.set(address, { maker: null })
      owed.delete(address)
      break
  }
}

type Done = 'create' | 'import' | 'update' | 'replace' | 'delete' | 'forget'

/** What becomes of a wish here; null where it makes no sense. Heals only put back. */
function actionFor(what: Wish['what'], address: string, { heal, records, world, owed }: Moment): Done | null {
  const [isThere, isOwed] = [world.has(address), owed.has(address)]
  const only = (possible: boolean, action: Done): Done | null => (possible ? action : null)
  switch (what) {
    case 'make':
      return only(!isThere && (!heal || isOwed), 'create')
    case 'adopt':
      return only(!isThere && !heal && records, 'import')
    case 'change':
      // What vanished and was made by hand at the same address cannot be told from what was there.
      return only(isThere || (!heal && !records && !isOwed), 'update')
    case 'replace':
      return only(isThere, 'replace')
    case 'remove':
      return only(isThere && !heal, 'delete')
    case 'forget':
      return only(isThere && !heal && records, 'forget')
    case 'move':
    case 'vanish':
      return null
  }
}

export const changed = (address: string, actions: Action[], previousAddress?: string): ResourceChange => ({
  address,
  type: 'thing',
  actions,
  attributes: [],
  cause: 'config',
  ...(previousAddress !== undefined && { previousAddress }),
})
