import { randomBytes } from 'node:crypto'
import type { Clock } from '../../lib/clock.ts'
import { hashToken } from './token.ts'

/** How long a link that logs a browser in can be used. */
export const LINK_LIFE_MS = 10 * 60_000
/** Beyond it the oldest link is dropped: links are cheap to make again. */
const MAX_LINKS = 1_000

/** What a link logs in as: a person, and nothing that its maker could not do. */
export interface LinkedLogin {
  userId: string
  scopes: readonly string[]
  /** What the link stands for, in the audit; `link` where absent. */
  by?: string
  /** Milliseconds that the session lives at most, where that is less than usual. */
  lifeMs?: number
}

/**
 * One-time codes that log a browser in. In memory only: a restart takes them back, which costs a new link. The code
 * travels in the fragment of an address, which browsers send to nobody.
 */
export interface LoginLinks {
  make(login: LinkedLogin): { code: string; expiresAt: number }
  /** The login of a code, once; null for one that was used, has expired or never was. */
  redeem(code: string): LinkedLogin | null
}

export function createLoginLinks(clock: Clock): LoginLinks {
  const links = new Map<string, LinkedLogin & { expiresAt: number }>()
  return {
    make(login) {
      const code = randomBytes(32).toString('base64url')
      const expiresAt = clock.now() + LINK_LIFE_MS
      links.set(hashToken(code), { ...login, expiresAt })
      const oldest = links.size > MAX_LINKS ? links.keys().next().value : undefined
      if (oldest !== undefined) links.delete(oldest)
      return { code, expiresAt }
    },
    redeem(code) {
      const hash = hashToken(code)
      const link = links.get(hash)
      links.delete(hash)
      return link && link.expiresAt > clock.now() ? link : null
    },
  }
}

/** The address that a person opens. */
export const linkAddress = (publicUrl: string, code: string): string => `${publicUrl}/login#code=${code}`
