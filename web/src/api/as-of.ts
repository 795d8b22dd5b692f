/** As of which change of the server an answer is: `EPOCH-NUMBER`, where an epoch is one life of the server. */
const HEADER = 'x-trueup-as-of'

/** The oldest that an answer was of; null before the first. */
let oldest: string | null = null
/** From where changes are heard, and who is told of an answer that is older. */
let heard: { from: string; onOlder: () => void } | undefined

/** Notes as of which change an answer is. */
export function noteAsOf(response: Response): Response {
  const asOf = response.headers.get(HEADER)
  if (asOf === null) return response
  if (heard && isOlder(asOf, heard.from)) heard.onOlder()
  else if (!heard && (oldest === null || isOlder(asOf, oldest))) oldest = asOf
  return response
}

/**
 * From where changes are to be heard so that none is missed that came after an answer; null where all are to be asked for anew.
 * `onOlder`: an answer has come that was under way and is of before that.
 */
export function hearFrom(onOlder: () => void): string | null {
  if (oldest !== null) heard = { from: oldest, onOlder }
  return oldest
}

/** Nothing is heard any more: what is asked for next counts anew. */
export function hearNothing(): void {
  heard = undefined
  oldest = null
}

/** Within one life of the server. After its restart the stream itself says that everything is to be asked for anew. */
function isOlder(one: string, other: string): boolean {
  const [epoch, number] = one.split('-')
  const [otherEpoch, otherNumber] = other.split('-')
  return epoch === otherEpoch && Number(number) < Number(otherNumber)
}
