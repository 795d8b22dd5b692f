import { z } from 'zod'
import { asTrueupError, TrueupError } from '../../lib/errors/error.ts'
import type { Logger } from '../logging.ts'
import { type HttpClient, send } from '../connection/http.ts'
import { openRoute, type RouteOptions } from '../connection/route.ts'
import { PackAddress } from '../protocol.ts'

const TIMEOUT_MS = 10 * 60_000

/** Something between the agent and its server that keeps packs: a cache, or a bucket behind one. It is trusted with nothing. */
export interface PackCache {
  /** Its address, for people. */
  readonly url: string
  /**
   * A pack by the path with which the server says where it is; null where the cache does not give it, for whatever reason: the
   * server has it too.
   */
  get(addressPath: string, signal: AbortSignal): Promise<Response | null>
  close(): Promise<void>
}

export function openPackCache(
  url: string,
  { http, route: options, log }: { http: HttpClient; route: RouteOptions; log: Logger },
): PackCache {
  const route = openRoute(url, options, log)
  return {
    url,
    async get(addressPath, signal) {
      try {
        const told = await http.request({ method: 'GET', path: addressPath, timeoutMs: TIMEOUT_MS, signal })
        const address = PackAddress.safeParse(await told.json().catch(() => null))
        if (!address.success) throw new Error(`the server does not say where: ${z.prettifyError(address.error)}`)
        const { path } = address.data
        const answer = await send({ server: url, route }, { method: 'GET', path, timeoutMs: TIMEOUT_MS, signal }, {})
        if (answer.ok) return answer
        await answer.body?.cancel()
        throw new Error(`it answers ${answer.status}`)
      } catch (thrown) {
        if (signal.aborted) throw thrown
        const why = thrown instanceof TrueupError ? thrown.text.why : asTrueupError(thrown, 'asking a cache').message
        log.warn({ cache: url, why }, 'no pack from the cache, the server is asked')
        return null
      }
    },
    close: () => route.close(),
  }
}
