import { BlockList, isIPv4, isIPv6 } from 'node:net'

/**
 * Where no sandboxed run gets to, whatever name leads there: this machine, its link, and what clouds tell their machines
 * (RFC 6890; https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html, fd00:ec2::254;
 * https://www.alibabacloud.com/help/en/ecs/user-guide/view-instance-metadata, 100.100.100.200; Oracle 192.0.0.192).
 * Private networks are not among them: a name has to be allowed to be asked for at all.
 */
const forbidden = new BlockList()
forbidden.addSubnet('0.0.0.0', 8, 'ipv4')
forbidden.addSubnet('127.0.0.0', 8, 'ipv4')
forbidden.addSubnet('169.254.0.0', 16, 'ipv4')
forbidden.addSubnet('192.0.0.0', 24, 'ipv4')
forbidden.addAddress('100.100.100.200', 'ipv4')
forbidden.addAddress('168.63.129.16', 'ipv4')
forbidden.addSubnet('224.0.0.0', 3, 'ipv4')
forbidden.addAddress('::', 'ipv6')
forbidden.addAddress('::1', 'ipv6')
forbidden.addAddress('fd00:ec2::254', 'ipv6')
forbidden.addSubnet('fe80::', 10, 'ipv6')
forbidden.addSubnet('ff00::', 8, 'ipv6')

/** Prefixes of IPv6 in whose last 32 bits an IPv4 address stands: mapped, compatible, NAT64 (RFC 4291, RFC 6052). */
const HOLDS_IPV4 = new BlockList()
HOLDS_IPV4.addSubnet('::', 96, 'ipv6')
HOLDS_IPV4.addSubnet('::ffff:0:0', 96, 'ipv6')
HOLDS_IPV4.addSubnet('64:ff9b::', 96, 'ipv6')
/** 6to4: it stands right after the prefix (RFC 3056). */
const SIX_TO_FOUR = new BlockList()
SIX_TO_FOUR.addSubnet('2002::', 16, 'ipv6')

/** Whether an address (as text, without brackets or zone) is one that is refused always. What is no address is. */
export function isForbiddenAddress(address: string): boolean {
  if (isIPv4(address)) return forbidden.check(address, 'ipv4')
  if (!isIPv6(address)) return true
  if (forbidden.check(address, 'ipv6')) return true
  const groups = groupsOf(address)
  if (HOLDS_IPV4.check(address, 'ipv6')) return isForbiddenAddress(ipv4Of(groups[6]!, groups[7]!))
  if (SIX_TO_FOUR.check(address, 'ipv6')) return isForbiddenAddress(ipv4Of(groups[1]!, groups[2]!))
  return false
}

/** The eight groups of an IPv6 address; the URL parser writes every form in the shortest one, without dots. */
function groupsOf(address: string): number[] {
  const short = new URL(`http://[${address}]`).hostname.slice(1, -1)
  const [head = '', tail] = short.split('::')
  const numbers = (text: string): number[] => (text === '' ? [] : text.split(':').map((group) => parseInt(group, 16)))
  const [first, last] = [numbers(head), tail === undefined ? [] : numbers(tail)]
  return [...first, ...Array.from({ length: 8 - first.length - last.length }, () => 0), ...last]
}

const ipv4Of = (high: number, low: number): string => `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`
