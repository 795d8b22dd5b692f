/** How much a forge still lets be asked. */
export interface Limits {
  left: number
  limit: number
  /** Milliseconds since the epoch. */
  resetAt: number | null
}

interface Headers {
  [name: string]: string | string[] | undefined
}

/** `X-RateLimit-*` (GitHub, Gitea behind some proxies) and `RateLimit-*` (GitLab); null where neither is there. */
export function limitsOf(headers: Headers, now: number): Limits | null {
  const number = (name: string): number | null => {
    const value = headers[`x-ratelimit-${name}`] ?? headers[`ratelimit-${name}`]
    return typeof value === 'string' && /^\d{1,12}$/.test(value) ? Number(value) : null
  }
  const [left, limit, reset] = [number('remaining'), number('limit'), number('reset')]
  if (left === null || limit === null) return null
  // Seconds since the epoch everywhere but in drafts of the standard, where they are from now on.
  const resetAt = reset === null ? null : reset > 1_000_000_000 ? reset * 1000 : now + reset * 1000
  return { left, limit, resetAt }
}

/** Milliseconds that an answer asks to stay away: `Retry-After` (RFC 9110), or until the limit begins anew. 0: it does not. */
export function retryAfterMs(headers: Headers, limits: Limits | null, now: number): number {
  const value = headers['retry-after']
  if (typeof value === 'string') {
    const ms = /^\d{1,9}$/.test(value) ? Number(value) * 1000 : Date.parse(value) - now
    if (Number.isFinite(ms)) return Math.max(ms, 0)
  }
  return limits?.left === 0 && limits.resetAt !== null ? Math.max(limits.resetAt - now, 0) : 0
}
