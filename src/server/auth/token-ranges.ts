import { BlockList, isIP } from 'node:net'

/** A scope that names addresses from which a token is good: `from:10.0.0.0/8`, `from:2001:db8::/32`, `from:192.0.2.7`. */
const PREFIX = 'from:'
export const isRangeScope = (scope: string): boolean => scope.startsWith(PREFIX)

interface Range {
  address: string
  bits: number
  family: 'ipv4' | 'ipv6'
}

/** Null of what is no address and no range in CIDR notation (https://www.rfc-editor.org/rfc/rfc4632#section-3.1). */
export function rangeOf(scope: string): Range | null {
  const [, address = '', bits] = /^([0-9a-fA-F:.]+)(?:\/(\d{1,3}))?$/.exec(scope.slice(PREFIX.length)) ?? []
  const version = isIP(address)
  if (!isRangeScope(scope) || version === 0) return null
  const all = version === 4 ? 32 : 128
  const wanted = bits === undefined ? all : Number(bits)
  return wanted > all ? null : { address, bits: wanted, family: version === 4 ? 'ipv4' : 'ipv6' }
}

/**
 * Whether a token with these scopes is good for a request from this address. One without ranges is from everywhere; of an address
 * that is none (a socket that is gone), none is good.
 */
export function isGoodFrom(scopes: readonly string[], address: string): boolean {
  const ranges = scopes.filter(isRangeScope)
  if (ranges.length === 0) return true
  const good = new BlockList()
  for (const scope of ranges) {
    const range = rangeOf(scope)
    if (range) good.addSubnet(range.address, range.bits, range.family)
  }
  // A socket that takes both families names IPv4 addresses in the form of IPv6, which BlockList sees through; a zone is of this host alone.
  const [plain = ''] = address.split('%')
  const version = isIP(plain)
  return version !== 0 && good.check(plain, version === 4 ? 'ipv4' : 'ipv6')
}
