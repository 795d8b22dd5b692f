import { z } from 'zod'
import { TrueupError } from '../lib/errors/error.ts'

/** A place of the team's, away from the server, that signed checkpoints of the audit are sent to. */
export type AuditPlace =
  | { kind: 'file'; text: string; path: string }
  | { kind: 'syslog'; text: string; transport: 'udp' | 'tcp'; host: string; port: number }
  | { kind: 's3'; text: string; bucket: string; prefix: string; region?: string; endpoint?: string }
  | { kind: 'git'; text: string; url: string; ref: string }

/** One checkpoint as it lies there: `checkpointText` is what its signature covers. */
export const SentCheckpoint = z.object({
  format: z.literal('trueup-audit-checkpoint-v1'),
  seq: z.int().min(1),
  hash: z.string().regex(/^[0-9a-f]{64}$/),
  at: z.int(),
  keyId: z.string(),
  signature: z.string(),
})
export type SentCheckpoint = z.infer<typeof SentCheckpoint>

export const AUDIT_REF = 'refs/heads/trueup-audit'
const SYSLOG_PORT = 514

/** Whether a word names such a place, and not a file of an archive. */
export const isAuditPlace = (text: string): boolean => /^(file:|git:|s3:|syslog(\+(udp|tcp))?:)/.test(text)

/** INVALID_REQUEST for what is no place, and for one with a password in it. */
export function parseAuditPlace(text: string): AuditPlace {
  const place = isAuditPlace(text) ? read(text) : null
  if (place !== null) return place
  throw new TrueupError('INVALID_REQUEST', {
    doing: 'reading where checkpoints of the audit are sent',
    why: 'it is no place, or has a password in it',
    next: 'Use file:/PATH, syslog+tcp://HOST:PORT, syslog+udp://HOST:PORT, s3://BUCKET/PREFIX?region=REGION, or git:URL#REF, and give credentials as the program of the place takes them.',
  })
}

function read(text: string): AuditPlace | null {
  if (text.startsWith('file:')) {
    const path = text.slice('file:'.length).replace(/^\/\/(?=\/)/, '')
    return path.startsWith('/') ? { kind: 'file', text, path } : null
  }
  if (text.startsWith('git:')) return readGit(text)
  const url = URL.parse(text)
  if (url === null || url.hostname === '' || url.username !== '' || url.password !== '') return null
  if (url.protocol === 's3:') {
    const [region, endpoint] = [url.searchParams.get('region'), url.searchParams.get('endpoint')]
    const prefix = url.pathname.replace(/^\/+/, '').replace(/\/*$/, '')
    const more = { ...(region !== null && { region }), ...(endpoint !== null && { endpoint }) }
    return { kind: 's3', text, bucket: url.hostname, prefix: prefix === '' ? '' : `${prefix}/`, ...more }
  }
  const transport = url.protocol === 'syslog+udp:' ? 'udp' : 'tcp'
  const host = url.hostname.replace(/^\[|\]$/g, '')
  return { kind: 'syslog', text, transport, host, port: Number(url.port || SYSLOG_PORT) }
}

/** Helpers of git that run programs (`ext::`) are refused by the protocols that it is let use; an option is no address. */
function readGit(text: string): AuditPlace | null {
  const [, url = '', ref = AUDIT_REF] = /^git:([^#]+)(?:#(.+))?$/.exec(text) ?? []
  const whole = ref.startsWith('refs/') ? ref : `refs/heads/${ref}`
  if (url === '' || url.startsWith('-') || !/^refs\/[\w./-]{1,200}$/.test(whole) || whole.includes('..')) return null
  const address = URL.parse(url)
  // Of ssh a name is no secret; of http it is a token.
  const hasSecret =
    address !== null && (address.password !== '' || (/^https?:$/.test(address.protocol) && address.username !== ''))
  return hasSecret ? null : { kind: 'git', text, url, ref: whole }
}

/** The checkpoints among lines: whatever a logger has put before or between them is passed over. */
export function checkpointsIn(text: string): SentCheckpoint[] {
  return text.split('\n').flatMap((line) => {
    const start = line.indexOf('{')
    if (start < 0 || !line.includes('trueup-audit-checkpoint-v1')) return []
    try {
      const parsed = SentCheckpoint.safeParse(JSON.parse(line.slice(start, line.lastIndexOf('}') + 1)))
      return parsed.success ? [parsed.data] : []
    } catch {
      return []
    }
  })
}
