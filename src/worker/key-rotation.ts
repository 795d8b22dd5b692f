import { asTrueupError, TrueupError } from '../lib/errors/error.ts'
import { httpClient, type HttpClient } from './connection/http.ts'
import type { Identity, NextKey } from './identity.ts'
import type { Logger } from './logging.ts'
import { KeyAnswer, WORKER_PATHS } from './protocol.ts'

const TIMEOUT_MS = 30_000

export interface KeyRotation {
  /**
   * Makes a new key, has the server take it, and forgets the one before. Whatever this process or the server dies of in
   * between, the same call goes on: the new key is on the disk first, and the server takes a repeat, signed by either.
   * False where it did not get through; then it is tried again at the next connection.
   */
  rotate(): Promise<boolean>
}

export function keyRotation({
  identity,
  http,
  log,
}: {
  identity: Identity
  http: HttpClient
  log: Logger
}): KeyRotation {
  let running: Promise<boolean> | undefined

  async function attempt(): Promise<boolean> {
    try {
      const next = await identity.nextKey()
      await offer(next)
      await identity.adoptNext()
      log.info({ key: next.publicKey.x }, 'this worker has a new key')
      return true
    } catch (thrown) {
      const { code, message: why } = asTrueupError(thrown, 'rotating the key')
      log.warn({ code, why }, 'the new key was not taken')
      return false
    }
  }

  async function offer(next: NextKey): Promise<void> {
    const body = { publicKey: next.publicKey, proof: await next.proof() }
    const request = { method: 'POST', path: WORKER_PATHS.key, body, timeoutMs: TIMEOUT_MS } as const
    try {
      KeyAnswer.parse(await (await http.request(request)).json())
    } catch (thrown) {
      if (!(thrown instanceof TrueupError) || thrown.code !== 'UNAUTHENTICATED') throw thrown
      // The server took it, its answer was lost, and since then the former key has ceased to count.
      KeyAnswer.parse(await (await httpClient(http.server, next, http.route).request(request)).json())
    }
  }

  return { rotate: () => (running ??= attempt().finally(() => (running = undefined))) }
}
