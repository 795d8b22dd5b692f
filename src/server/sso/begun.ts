import type { Clock } from '../../lib/clock.ts'
import type { Begun } from './provider.ts'

/** How long somebody may take at the provider. */
export const LOGIN_MS = 10 * 60_000
/** Beyond it the oldest login is forgotten: whoever began it begins again. */
const AT_MOST = 10_000

/** A login that a browser has begun: with which provider, and where it wants to go afterwards. */
export interface BegunLogin extends Begun {
  provider: string
  to: string
}

/** Logins between their two halves, each used once. In memory only: a restart costs whoever is under way a new beginning. */
export interface BegunLogins {
  keep(login: BegunLogin): void
  take(state: string): BegunLogin | null
}

export function createBegunLogins(clock: Clock): BegunLogins {
  const begun = new Map<string, BegunLogin & { until: number }>()
  return {
    keep(login) {
      begun.set(login.state, { ...login, until: clock.now() + LOGIN_MS })
      const oldest = begun.size > AT_MOST ? begun.keys().next().value : undefined
      if (oldest !== undefined) begun.delete(oldest)
    },
    take(state) {
      const login = begun.get(state)
      begun.delete(state)
      return login && login.until > clock.now() ? login : null
    },
  }
}
