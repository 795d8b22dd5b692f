import { TrueupError } from '../../lib/errors/error.ts'
import { compileGlob } from '../glob.ts'
import type { StackKey } from './stack.ts'

/** What one stack manages and no other may: a directory of a host, a state, a stack of a cloud. */
export interface Place {
  /** Kind and canonical address, without secrets: `files:default:/etc/nginx`. Equal places have equal addresses. */
  address: string
  /**
   * Of directories: what is below it is the stack's as well, but for the directories that these globs (over paths below
   * the address) leave to others. Absent where an address is no directory.
   */
  except?: readonly string[]
}

/** Two stacks that claim one place, or one of them a directory inside the other's. */
export interface PlaceConflict {
  key: StackKey
  other: StackKey
  address: string
  otherAddress: string
}

/** Whether two places are one, or one holds the other. */
export function overlap(a: Place, b: Place): boolean {
  return a.address === b.address || holds(a, b) || holds(b, a)
}

/** The directories above an address, nearest first: `files:default:/etc/nginx` is below `files:default:/etc` and `files:default:/`. */
export function* above(address: string): Generator<string> {
  const root = address.indexOf('/')
  for (let end = address.length; root >= 0 && end > root + 1; ) {
    end = address.lastIndexOf('/', end - 1)
    yield address.slice(0, Math.max(end, root + 1))
  }
}

/** What every address below a directory begins with. */
export const prefixBelow = ({ address }: Place): string => (address.endsWith('/') ? address : `${address}/`)

function holds(outer: Place, inner: Place): boolean {
  if (outer.except === undefined || inner.except === undefined) return false
  const prefix = prefixBelow(outer)
  if (!inner.address.startsWith(prefix)) return false
  const path = inner.address.slice(prefix.length)
  // Left to the other only where everything below it is, whatever its name and depth.
  const globs = outer.except.map((glob) => compileGlob(glob, { hidden: true }))
  return ![`${path}/x`, `${path}/.x`, `${path}/x/y`].every((below) => globs.some((matches) => matches(below)))
}

/** The places of one configuration that more than one stack has, each pair once, in the order of the stacks. */
export function placeConflicts(stacks: Iterable<{ key: StackKey; place: Place | null }>): PlaceConflict[] {
  const taken = new Map<string, { key: StackKey; place: Place }>()
  const conflicts: PlaceConflict[] = []
  const note = (one: { key: StackKey; place: Place }, other: { key: StackKey; place: Place }): void => {
    const [address, otherAddress] = [one.place.address, other.place.address]
    conflicts.push({ key: one.key, other: other.key, address, otherAddress })
  }
  for (const { key, place } of stacks) {
    if (place === null) continue
    const same = taken.get(place.address)
    if (same) note({ key, place }, same)
    else taken.set(place.address, { key, place })
  }
  for (const inner of taken.values()) {
    for (const address of above(inner.place.address)) {
      const outer = taken.get(address)
      if (outer && holds(outer.place, inner.place)) note(inner, outer)
    }
  }
  return conflicts
}

/** PLACE_TAKEN with both names: nothing of what `key` says may be applied there. */
export function placeTaken({ key, other, address, otherAddress }: PlaceConflict): TrueupError {
  const why =
    address === otherAddress
      ? `${other} manages it as well`
      : `${other} manages ${describePlace(otherAddress)}, and one of the two directories is inside the other`
  return new TrueupError('PLACE_TAKEN', {
    doing: `giving ${describePlace(address)} to stack ${key}`,
    why,
    next:
      address === otherAddress
        ? 'Give one of the two another target, or remove the other stack first.'
        : 'Give one of the two another target, or leave the inner directory to the other stack by `exclude` (`inner/**`) in the outer one.',
  })
}

/** For people: `/srv/web on the hosts of pool "default"`. */
function describePlace(address: string): string {
  const [kind, pool, ...rest] = address.split(':')
  return kind === 'files' ? `${rest.join(':')} on the hosts of pool "${pool}"` : address
}
