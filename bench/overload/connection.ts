import { connect, type Socket } from 'node:net'

/** How a request ended: with a status, or without an answer. */
export type Outcome = { status: number } | 'broken'

/**
 * One kept HTTP connection that asks one thing at a time and reads no more of an answer than its status and length: clients
 * that share the machine with the server they load must cost next to nothing.
 */
export class Connection {
  readonly #socket: Socket
  #settle: ((outcome: Outcome) => void) | null = null
  #head = ''
  /** Bytes of the body that have not come; null while the head comes. */
  #left: number | null = null
  #status = 0

  constructor(host: string, port: number) {
    this.#socket = connect({ host, port, noDelay: true })
    this.#socket.on('data', (chunk: Buffer) => this.#read(chunk))
    this.#socket.on('error', () => this.#end('broken'))
    this.#socket.on('close', () => this.#end('broken'))
  }

  get usable(): boolean {
    return this.#socket.writable
  }

  /** Calls `settle` once, when the answer is there or cannot come. */
  ask(request: string, settle: (outcome: Outcome) => void): void {
    this.#settle = settle
    this.#head = ''
    this.#left = null
    this.#socket.write(request)
  }

  /** Leaves without waiting. */
  leave(): void {
    this.#settle = null
    this.#socket.destroy()
  }

  #read(chunk: Buffer): void {
    if (this.#left !== null) return this.#take(chunk.length)
    this.#head += chunk.toString('latin1')
    const end = this.#head.indexOf('\r\n\r\n')
    if (end === -1) return
    this.#status = Number(this.#head.slice(9, 12))
    const length = /\r\ncontent-length: *(\d+)/i.exec(this.#head.slice(0, end + 2))
    // Nothing that is asked for here is sent in pieces of unknown number.
    if (!length) {
      this.#socket.destroy()
      return this.#end('broken')
    }
    this.#left = Number(length[1])
    this.#take(this.#head.length - end - 4)
  }

  #take(bytes: number): void {
    this.#left! -= bytes
    if (this.#left === 0) this.#end({ status: this.#status })
  }

  #end(outcome: Outcome): void {
    const settle = this.#settle
    this.#settle = null
    settle?.(outcome)
  }
}
