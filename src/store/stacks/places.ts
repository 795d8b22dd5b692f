import type { Place } from '../../domain/plans/place.ts'
import { above, isPath, overlap, prefixBelow } from '../../domain/stacks/places.ts'
import { canonicalJson } from '../../lib/json.ts'
import { nowOf, type Queries } from '../database/context.ts'
import { type FromRow, makeCodec } from '../database/codec.ts'
import type { Database } from '../database/schema.ts'

/** A place with the stack that has it, since the run that claimed it last. */
export type ClaimedPlace = FromRow<Database['places'], { except: string[] }, 'shared'>

/** One of the places that were asked about, and what another stack has of it. */
export interface PlaceOverlap {
  place: Place
  claim: ClaimedPlace
}

const codec = makeCodec<Database['places'], ClaimedPlace>({ json: ['except'], flags: ['shared'] })

/** A character after every one of an address, for the end of a range of what begins with a prefix. */
const LAST = '\u{10FFFF}'
/** Rows of a statement, well below what a database takes as parameters. */
const AT_ONCE = 500

const placeOf = ({ address, except }: ClaimedPlace): Place => ({ address, ...(except && { except }) })

/** Claims of other stacks that overlap one of these places, in the order of the places. */
export async function overlappingPlaces(
  db: Queries,
  stackId: string | null,
  places: readonly Place[],
): Promise<PlaceOverlap[]> {
  const wanted = new Set(places.flatMap((place) => [place.address, ...(isPath(place) ? above(place.address) : [])]))
  const claims = new Map<string, ClaimedPlace[]>()
  for (const claim of await claimsAt(db, [...wanted])) {
    if (claim.stackId === stackId) continue
    const known = claims.get(claim.address)
    if (known) known.push(claim)
    else claims.set(claim.address, [claim])
  }
  const below = await claimsBelow(
    db,
    places.filter(({ except }) => except !== undefined),
  )
  const found: PlaceOverlap[] = []
  for (const place of places) {
    const at = [place.address, ...(isPath(place) ? above(place.address) : [])]
    const near = at.flatMap((address) => claims.get(address) ?? [])
    const inside = (below.get(place.address) ?? []).filter((claim) => claim.stackId !== stackId)
    for (const claim of [...near, ...inside]) if (overlap(placeOf(claim), place)) found.push({ place, claim })
  }
  return found
}

async function claimsAt(db: Queries, addresses: readonly string[]): Promise<ClaimedPlace[]> {
  const claims: ClaimedPlace[] = []
  for (let from = 0; from < addresses.length; from += AT_ONCE) {
    const some = addresses.slice(from, from + AT_ONCE)
    const rows = await db.selectFrom('places').selectAll().where('address', 'in', some).orderBy('address').execute()
    claims.push(...rows.map(codec.fromRow))
  }
  return claims
}

/** What is claimed below each of these directories, by the address of the directory. */
async function claimsBelow(db: Queries, directories: readonly Place[]): Promise<Map<string, ClaimedPlace[]>> {
  const found = new Map<string, ClaimedPlace[]>()
  // One question each, unless they are so many that one look at everything is less.
  if (directories.length <= AT_ONCE) {
    for (const place of directories) found.set(place.address, await claimsBetween(db, prefixBelow(place)))
    return found
  }
  for (const { address } of directories) found.set(address, [])
  for (const prefix of ['files:', 'host:'])
    for (const claim of await claimsBetween(db, prefix))
      for (const directory of above(claim.address)) found.get(directory)?.push(claim)
  return found
}

async function claimsBetween(db: Queries, prefix: string): Promise<ClaimedPlace[]> {
  const rows = await db
    .selectFrom('places')
    .selectAll()
    .where('address', '>', prefix)
    .where('address', '<', prefix + LAST)
    .orderBy('address')
    .execute()
  return rows.map(codec.fromRow)
}

/** What a stack has. */
export async function placesOfStack(db: Queries, stackId: string): Promise<ClaimedPlace[]> {
  const rows = await db.selectFrom('places').selectAll().where('stackId', '=', stackId).orderBy('address').execute()
  return rows.map(codec.fromRow)
}

/** Writes that the stack has the places; the caller has found that nobody else has. */
export async function claimPlaces(
  tx: Queries,
  claim: { places: readonly Place[]; stackId: string; runId: string },
): Promise<void> {
  const { places, stackId, runId } = claim
  const claimedAt = nowOf(tx)
  const rows = places.map(({ address, except, shared }) => ({
    address,
    stackId,
    runId,
    exceptJson: except ? canonicalJson(except) : null,
    shared: shared ? 1 : 0,
    claimedAt,
  }))
  for (let from = 0; from < rows.length; from += AT_ONCE) {
    await tx
      .insertInto('places')
      .values(rows.slice(from, from + AT_ONCE))
      .onConflict((conflict) =>
        conflict.columns(['address', 'stackId']).doUpdateSet((row) => ({
          runId: row.ref('excluded.runId'),
          exceptJson: row.ref('excluded.exceptJson'),
          shared: row.ref('excluded.shared'),
          claimedAt: row.ref('excluded.claimedAt'),
        })),
      )
      .execute()
  }
}

/** Gives up what the stack has, but for what the run `keep` has claimed. */
export async function releasePlaces(tx: Queries, stackId: string, keep?: string): Promise<void> {
  let query = tx.deleteFrom('places').where('stackId', '=', stackId)
  if (keep !== undefined) query = query.where('runId', '!=', keep)
  await query.execute()
}
