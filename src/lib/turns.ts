/** Milliseconds of uninterrupted work after which everything else of the process gets a turn. */
const TURN_MS = 10
/**
 * How many who stand at the door come in between two pieces of work. libuv accepts one connection in a turn of its event loop
 * (1.52; `uv__server_io`), so that a server whose turns take 10 ms would let in a hundred a second, and keep the others waiting
 * in the kernel, probes among them, however fast it could send them away.
 */
const ARRIVALS = 24

/**
 * Shares the event loop between work that could go on without end, since what it waits for is there at once (a synchronous
 * database answers within microtasks), and sockets and timers. Who pauses goes on in the order of coming, each in a turn of
 * the loop of its own.
 */
export class Turns {
  #began: number | undefined
  #arrived = false
  readonly #paused: (() => void)[] = []

  /** Whether the turn has taken so long that whoever works has to `pause`. */
  get isLong(): boolean {
    if (this.#began !== undefined) return performance.now() - this.#began > TURN_MS
    this.#began = performance.now()
    setImmediate(() => this.#end())
    return false
  }

  /** Resolves in a later turn, when everybody who paused before has gone on. */
  async pause(): Promise<void> {
    await new Promise<void>((resolve) => this.#paused.push(resolve))
  }

  /** Somebody has come in, and others may stand behind. */
  arrived(): void {
    this.#arrived = true
  }

  #end(letIn = 0): void {
    if (this.#paused.length > 0 && this.#arrived && letIn < ARRIVALS) {
      this.#arrived = false
      setImmediate(() => this.#end(letIn + 1))
      return
    }
    const next = this.#paused.shift()
    if (!next) return void (this.#began = undefined)
    this.#began = performance.now()
    setImmediate(() => this.#end())
    next()
  }
}

/** The turns of this process: it has one event loop. */
export const turns = new Turns()
