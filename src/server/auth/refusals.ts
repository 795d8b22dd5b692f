import type { JsonObject } from '../../lib/json.ts'
import type { Logger } from '../../lib/log.ts'
import { appendAudits } from '../../store/audit/audit.ts'
import type { Store } from '../../store/open.ts'

/** What was refused: a token or login that does not count, or what a good one may not do. */
export interface Refusal {
  kind: 'token' | 'login' | 'worker' | 'right'
  /** Where it came from. */
  address: string
  /** Why, in words of ours: never what somebody typed. */
  why: string
  /** Whose it was, where that is known: a token that was good once, or a person without the right. */
  userId?: string
  token?: string
  action?: string
}

/**
 * Writes refusals into the audit. The same one again and again is one event a minute with its number, and of different ones a
 * minute has so many: whoever knocks at every door must not fill the database.
 */
export interface Refusals {
  note(refusal: Refusal): void
  /** Writes what has gathered; also done by the clock. */
  flush(): Promise<void>
  close(): Promise<void>
}

const EVERY_MS = 60_000
/** Events of one minute; the rest is one event with a number. */
const MOST = 20

interface Gathered extends Refusal {
  count: number
  firstAt: number
  lastAt: number
}

export function createRefusals(store: Store, log: Logger): Refusals {
  let gathered = new Map<string, Gathered>()
  let beyond = { count: 0, firstAt: 0, lastAt: 0 }
  let timer: NodeJS.Timeout | undefined
  const flush = async (): Promise<void> => {
    clearTimeout(timer)
    timer = undefined
    const [found, more] = [[...gathered.values()], beyond]
    gathered = new Map()
    beyond = { count: 0, firstAt: 0, lastAt: 0 }
    if (found.length === 0) return
    const events = found.map(({ userId, ...data }) => ({
      actor: userId === undefined ? 'system' : `user:${userId}`,
      action: 'access.refused',
      subject: userId ?? data.address,
      data: data as unknown as JsonObject,
    }))
    const rest = { actor: 'system', action: 'access.refused', subject: 'others', data: { kind: 'others', ...more } }
    await store.transaction((tx) => appendAudits(tx, more.count > 0 ? [...events, rest] : events))
  }
  const later = (): void => {
    flush().catch((error: unknown) => log.error({ err: error }, 'refusals are not in the audit'))
  }
  return {
    note(refusal) {
      const now = store.clock.now()
      timer ??= setTimeout(later, EVERY_MS).unref()
      const { kind, address, why, userId = '', token = '', action = '' } = refusal
      const key = [kind, userId || address, token, action, why].join('\0')
      const known = gathered.get(key)
      if (known) {
        known.count++
        known.lastAt = now
      } else if (gathered.size < MOST) gathered.set(key, { ...refusal, count: 1, firstAt: now, lastAt: now })
      else beyond = { count: beyond.count + 1, firstAt: beyond.firstAt || now, lastAt: now }
    },
    flush,
    async close() {
      await flush().catch((error: unknown) => log.error({ err: error }, 'refusals are not in the audit'))
    },
  }
}
