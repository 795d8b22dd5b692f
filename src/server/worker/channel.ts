import type { Logger } from 'pino'
import type { RawData, WebSocket } from 'ws'
import type { WorkerProof } from '../../domain/wire/request-proof.ts'
import { CallFrame, type ServerEvent } from '../../domain/wire/worker-protocol.ts'
import type { WorkerApi } from '../../engine/worker/worker-api.ts'
import { asTrueupError, TrueupError } from '../../lib/errors/error.ts'
import { slices } from '../../lib/slices.ts'
import { VERSION } from '../../lib/version.ts'
import { dispatch } from './dispatch.ts'
import type { WorkerIdentity } from './identity.ts'
import type { Beating } from './pulse.ts'

/** Calls of one worker that are being answered at a time; above that its socket is not read. */
const MAX_CALLS = 64
const MAX_UNSENT_BYTES = 8 * 1024 * 1024

/** What all channels share. */
export interface Serving {
  api: WorkerApi
  identity: WorkerIdentity
  logger: Logger
  /** Asked at each hello: false where a newer socket of the worker has greeted before. */
  greets(workerId: string, opened: number): boolean
}

/**
 * One worker's channel: answers calls as they finish, sends events, and ends only itself: on a bad frame, when revoked. There
 * are thousands, most of them idle: each has nothing but these members.
 */
export class WorkerChannel implements Beating {
  readonly #socket: WebSocket
  readonly #serving: Serving
  readonly #workerId: string
  readonly #keyId: string
  readonly #opened: number
  readonly #unsubscribe: () => void
  #calls = 0
  #alive = true
  #asked = false

  /** `opened`: how many channels were opened before. */
  constructor(socket: WebSocket, { workerId, keyId }: WorkerProof, opened: number, serving: Serving) {
    this.#socket = socket
    this.#serving = serving
    this.#workerId = workerId
    this.#keyId = keyId
    this.#opened = opened
    this.#unsubscribe = serving.api.subscribe(
      workerId,
      (event) => this.#write(textOfEvent(event)),
      () => this.cut(),
    )
  }

  /** Its worker is trusted no longer. */
  cut(): void {
    this.#socket.close(1008, 'revoked')
  }

  /** Workers ping, too: one that was heard of is asked nothing. */
  heard(): void {
    this.#alive = true
  }

  message(data: RawData, isBinary: boolean): void {
    this.#alive = true
    if (isBinary) return this.#socket.close(1003, 'frames are JSON text')
    // One that waits for its turn is one that is being answered: who floods is not read.
    if (++this.#calls >= MAX_CALLS) this.#socket.pause()
    slices.add(() => {
      void this.#answer(data).finally(() => {
        if (--this.#calls < MAX_CALLS && this.#socket.isPaused) this.#socket.resume()
      })
    })
  }

  broke(error: Error): void {
    this.#serving.logger.warn({ err: error, workerId: this.#workerId }, 'worker socket broke')
  }

  beat(): void {
    // A paused socket cannot answer: that is our doing, not its death.
    if (!this.#alive && this.#asked && !this.#socket.isPaused) return this.#socket.terminate()
    this.#asked = !this.#alive
    this.#alive = false
    if (this.#asked) this.#socket.ping()
    this.#serving.identity.assertTrusted({ workerId: this.#workerId, keyId: this.#keyId }).catch(() => this.cut())
  }

  closed(): void {
    this.#unsubscribe()
  }

  #write(text: string): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return
    // It does not read: what it misses is repeated after it has connected again.
    if (this.#socket.bufferedAmount > MAX_UNSENT_BYTES) return this.#socket.terminate()
    this.#socket.send(text)
  }

  #reply(frame: { id: number; result?: unknown; error?: unknown }): void {
    this.#write(JSON.stringify(frame))
  }

  async #answer(data: RawData): Promise<void> {
    const heard = frameIn(data)
    if (!heard) return this.#socket.close(1002, 'not a JSON object')
    const parsed = CallFrame.safeParse(heard)
    if (!parsed.success)
      return this.#reply({ id: typeof heard['id'] === 'number' ? heard['id'] : 0, error: unknownFrame() })
    const { id, method, params } = parsed.data
    const { api, identity, logger } = this.#serving
    const workerId = this.#workerId
    if (method === 'hello' && !this.#serving.greets(workerId, this.#opened))
      return this.#socket.close(1008, 'the worker has a newer connection')
    try {
      // The handshake may be long ago.
      await identity.assertTrusted({ workerId, keyId: this.#keyId })
      this.#reply({ id, result: await dispatch(api, workerId, method, params) })
    } catch (thrown) {
      const error = asTrueupError(thrown, `worker call "${method}"`)
      if (error.code === 'INTERNAL') logger.error({ err: thrown, workerId, method }, 'worker call failed')
      this.#reply({ id, error: error.toJSON() })
      if (error.code === 'UNAUTHENTICATED') this.cut()
    }
  }
}

/** An event that goes to many is written once. */
const texts = new WeakMap<ServerEvent, string>()
function textOfEvent(event: ServerEvent): string {
  const known = texts.get(event)
  if (known !== undefined) return known
  const text = JSON.stringify(event)
  texts.set(event, text)
  return text
}

/** ws gives text frames as Buffer, ArrayBuffer or a list of Buffers, by its binaryType. */
function textOf(data: RawData): string {
  if (Buffer.isBuffer(data)) return data.toString('utf8')
  return (Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data)).toString('utf8')
}

function frameIn(data: RawData): { [member: string]: unknown } | null {
  try {
    const frame: unknown = JSON.parse(textOf(data))
    return typeof frame === 'object' && frame !== null && !Array.isArray(frame) ? { ...frame } : null
  } catch {
    return null
  }
}

/** What a newer worker may say; it goes on without. */
const unknownFrame = (): object =>
  new TrueupError('METHOD_UNKNOWN', {
    doing: 'answering a worker',
    why: `this server (Trueup ${VERSION}) knows no such frame`,
  }).toJSON()
