/** What a sandboxed run may connect to. */
export interface Endpoint {
  /** In lower case; an IPv6 address without its brackets. With `anyBelow`, the domain whose names are meant. */
  host: string
  port: number
  /** Written as `*.host`: every name below it, not the domain itself. */
  anyBelow: boolean
}

const LABEL = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?'
const SHAPE = new RegExp(`^(?:(\\*\\.)?(${LABEL}(?:\\.${LABEL})*)|\\[([0-9a-f:.]{2,45})\\]):(\\d{1,5})$`)

/** `host:port`, `*.domain:port`, `[v6]:port`; null for anything else. A star needs a domain of two names, not `*.org`. */
export function parseEndpoint(text: string): Endpoint | null {
  const [, star, name, v6, digits] = SHAPE.exec(text.toLowerCase()) ?? []
  const host = name ?? v6
  const port = Number(digits)
  if (host === undefined || host.length > 253 || port < 1 || port > 65_535) return null
  if (star !== undefined && !host.includes('.')) return null
  return { host, port, anyBelow: star !== undefined }
}

/** Whether a connection to this host (lower case, no brackets, no dot at its end) and port is among the allowed ones. */
export const isAllowed = (host: string, port: number, allowed: readonly Endpoint[]): boolean =>
  allowed.some((each) => each.port === port && (each.anyBelow ? host.endsWith(`.${each.host}`) : host === each.host))
