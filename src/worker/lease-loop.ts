import { asTrueupError } from '../lib/errors/error.ts'
import { newId } from '../lib/ids.ts'
import type { Link } from './connection/connect.ts'
import type { Logger } from './logging.ts'
import type { Grant } from './protocol.ts'

/** The server says when there is work; this is for the word that got lost. */
const ASK_ANYWAY_MS = 20_000

export interface LeaseLoopOptions {
  link: Pick<Link, 'deliver'>
  log: Logger
  hasRoom: () => boolean
  start: (grant: Grant) => void
  /** How often to ask although nothing was said, milliseconds. */
  askMs?: () => number | undefined
}

export interface LeaseLoop {
  /** There may be work, or room for it. */
  wake(): void
  /** No further run is leased; resolves when none can come any more. */
  close(): Promise<void>
}

/** Leases runs, one after the other, as long as there is room and the server has some. */
export function startLeasing({ link, log, hasRoom, start, askMs }: LeaseLoopOptions): LeaseLoop {
  const over = new AbortController()
  let asking: Promise<void> | undefined
  let again = false
  let timer = setTimeout(askAnyway, nextMs())

  function nextMs(): number {
    return (askMs?.() ?? ASK_ANYWAY_MS) * (0.75 + Math.random() / 2)
  }

  function askAnyway(): void {
    timer = setTimeout(askAnyway, nextMs())
    wake()
  }

  function wake(): void {
    again = true
    asking ??= ask().finally(() => (asking = undefined))
  }

  async function ask(): Promise<void> {
    while (again && !over.signal.aborted) {
      again = false
      while (hasRoom() && !over.signal.aborted) if (!(await leaseOne())) break
    }
  }

  /** A repeat after a lost answer carries the same request, so a grant cannot get lost between server and worker. */
  async function leaseOne(): Promise<boolean> {
    try {
      const { grant } = await link.deliver('lease', { request: newId('req'), clock: Date.now() }, over.signal)
      if (grant) start(grant)
      return grant !== null
    } catch (thrown) {
      if (!over.signal.aborted) log.warn({ why: asTrueupError(thrown, 'leasing a run').message }, 'no run leased')
      return false
    }
  }

  return {
    wake,
    async close() {
      clearTimeout(timer)
      over.abort()
      await asking
    },
  }
}
