import { encodePath } from './paths.ts'
import type { PushRequest } from './push-request.ts'
import type { Refusal } from './push-rules.ts'

/** Sideband packets hold at most 65520 bytes, four of which are the length and one the band. */
const MAX_BAND = 65_515
const REASON_OF_OTHERS = 'another ref of this push was refused'

/**
 * The answer of a server that moved no ref of a push, as git gives it (gitprotocol-pack, "Report Status"): the person reads
 * the words as `remote:` lines, the client the refs and reasons.
 */
export function refusalAnswer({ updates, capabilities }: PushRequest, refusals: readonly Refusal[]): Buffer {
  const reasons = new Map(refusals.map(({ ref, reason }) => [ref, reason]))
  const wantsReport = capabilities.has('report-status') || capabilities.has('report-status-v2')
  const report = updates.map(({ ref }) =>
    packet(
      Buffer.concat([Buffer.from('ng '), encodePath(ref), Buffer.from(` ${reasons.get(ref) ?? REASON_OF_OTHERS}\n`)]),
    ),
  )
  const status = wantsReport ? Buffer.concat([packet(Buffer.from('unpack ok\n')), ...report, FLUSH]) : Buffer.alloc(0)
  if (!capabilities.has('side-band-64k') && !capabilities.has('side-band')) return status
  // The first few say enough; a push may have thousands.
  const lines = refusals.slice(0, 20).flatMap((refusal) => ['', ...refusal.lines, ''])
  const words = Buffer.from(lines.map((line) => `${line}\n`).join(''))
  const width = capabilities.has('side-band-64k') ? MAX_BAND : 995
  return Buffer.concat([...bands(2, words, width), ...bands(1, status, width), FLUSH])
}

const FLUSH = Buffer.from('0000')

const packet = (data: Buffer): Buffer =>
  Buffer.concat([Buffer.from((data.length + 4).toString(16).padStart(4, '0')), data])

function bands(band: number, bytes: Buffer, width: number): Buffer[] {
  const packets: Buffer[] = []
  for (let start = 0; start < bytes.length; start += width)
    packets.push(packet(Buffer.concat([Buffer.from([band]), bytes.subarray(start, start + width)])))
  return packets
}
