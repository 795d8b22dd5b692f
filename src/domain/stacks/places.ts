import { TrueupError } from '../../lib/errors/error.ts'
import { compileGlob } from '../glob.ts'
import type { Place } from '../plans/place.ts'
import type { StackKey } from './stack.ts'

/** A path on the hosts of a pool, or on one host as it was found there: it may lie in a directory that is a place. */
export const isPath = ({ address }: Place): boolean => /^(files|host):/.test(address)

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
  if (outer.except === undefined || !isPath(inner)) return false
  const prefix = prefixBelow(outer)
  if (!inner.address.startsWith(prefix)) return false
  const path = inner.address.slice(prefix.length)
  // Left to the other only where everything below it is, whatever its name and depth.
  const globs = outer.except.map((glob) => compileGlob(glob, { hidden: true }))
  if (inner.except === undefined) return !globs.some((matches) => matches(path))
  return ![`${path}/x`, `${path}/.x`, `${path}/x/y`].every((below) => globs.some((matches) => matches(below)))
}

/** Whether two stacks, by the environments they are of, may have these places together. */
export const mayShare = (a: Place, b: Place, areTogether: boolean): boolean =>
  areTogether && (a.shared === true || b.shared === true)

interface Claim {
  key: StackKey
  place: Place
}

/**
 * The places of one repository that more than one stack has, each pair of places once, in the order of the stacks. A stack
 * may have several.
 */
export function placeConflicts(stacks: Iterable<{ key: StackKey; place: Place | null }>): PlaceConflict[] {
  const taken = new Map<string, Claim>()
  const conflicts: PlaceConflict[] = []
  const note = (one: Claim, other: Claim): void => {
    if (one.key === other.key || mayShare(one.place, other.place, environmentOf(one.key) === environmentOf(other.key)))
      return
    const [address, otherAddress] = [one.place.address, other.place.address]
    conflicts.push({ key: one.key, other: other.key, address, otherAddress })
  }
  for (const { key, place } of stacks) {
    if (place === null) continue
    const claim = { key, place }
    const same = taken.get(place.address)
    if (same) note(claim, same)
    else taken.set(place.address, claim)
  }
  // Who shares a place is of one environment, so that the first of them stands for all.
  for (const inner of taken.values()) {
    if (!isPath(inner.place)) continue
    for (const address of above(inner.place.address)) {
      const outer = taken.get(address)
      if (outer && holds(outer.place, inner.place)) note(inner, outer)
    }
  }
  return conflicts
}

const environmentOf = (key: StackKey): string => key.split('/', 1)[0]!

/** PLACE_TAKEN with both names: nothing of what `key` says may be applied there. */
export function placeTaken({ key, other, address, otherAddress }: PlaceConflict): TrueupError {
  const why =
    address === otherAddress
      ? `${other} manages it as well`
      : `${other} manages ${describePlace(otherAddress)}, and one of the two is inside the other`
  return new TrueupError('PLACE_TAKEN', {
    doing: `giving ${describePlace(address)} to stack ${key}`,
    why,
    next:
      address === otherAddress
        ? 'Give one of the two another target, or remove the other stack first.'
        : 'Give one of the two another target, or leave the inner directory to the other stack by `exclude` (`inner/**`) in the outer one.',
  })
}

/** For people: `/srv/web on the hosts of pool "default"`, `/srv/web on host web1`. */
function describePlace(address: string): string {
  const [kind, where = '', ...rest] = address.split(':')
  if (kind === 'files') return `${rest.join(':')} on the hosts of pool "${where}"`
  const host = where.split('~', 1)[0]
  if (kind === 'host') return `${rest.join(':')} on host ${host}`
  return kind === 'state' ? `the state ${rest.join(':')} on host ${host}` : address
}
