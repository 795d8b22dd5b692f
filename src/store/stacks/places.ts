import { above, overlap, type Place, prefixBelow } from '../../domain/stacks/places.ts'
import { canonicalJson } from '../../lib/json.ts'
import { nowOf, type Queries } from '../database/context.ts'
import { type FromRow, makeCodec } from '../database/codec.ts'
import type { Database } from '../database/schema.ts'

/** A place with the stack that has it, since the run that claimed it last. */
export type ClaimedPlace = FromRow<Database['places'], { except: string[] }>

const codec = makeCodec<Database['places'], ClaimedPlace>({ json: ['except'] })

/** A character after every one of an address, for the end of a range of what begins with a prefix. */
const LAST = '\u{10FFFF}'

const placeOf = ({ address, except }: ClaimedPlace): Place => ({ address, ...(except && { except }) })

/** Claims of other stacks that overlap this place. */
export async function overlappingPlaces(db: Queries, stackId: string | null, place: Place): Promise<ClaimedPlace[]> {
  const rows = await db
    .selectFrom('places')
    .selectAll()
    .where((where) => {
      const same = where('address', 'in', [place.address, ...(place.except ? above(place.address) : [])])
      if (!place.except) return same
      const prefix = prefixBelow(place)
      return where.or([same, where.and([where('address', '>', prefix), where('address', '<', prefix + LAST)])])
    })
    .orderBy('address')
    .execute()
  const claims = rows.map(codec.fromRow)
  return claims.filter((claim) => claim.stackId !== stackId && overlap(placeOf(claim), place))
}

/** Writes that the stack has the place; the caller has found that nobody else has. */
export async function claimPlace(tx: Queries, claim: { place: Place; stackId: string; runId: string }): Promise<void> {
  const { place, stackId, runId } = claim
  const members = {
    stackId,
    runId,
    exceptJson: place.except ? canonicalJson(place.except) : null,
    claimedAt: nowOf(tx),
  }
  await tx
    .insertInto('places')
    .values({ address: place.address, ...members })
    .onConflict((conflict) => conflict.column('address').doUpdateSet(members))
    .execute()
}

/** Gives up what the stack has, but for what the run `keep` has claimed. */
export async function releasePlaces(tx: Queries, stackId: string, keep?: string): Promise<void> {
  let query = tx.deleteFrom('places').where('stackId', '=', stackId)
  if (keep !== undefined) query = query.where('runId', '!=', keep)
  await query.execute()
}
