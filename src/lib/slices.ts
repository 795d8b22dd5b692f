/** Milliseconds of pieces after which sockets and timers get a turn. */
const SLICE_MS = 4

/**
 * Work that comes in many small pieces, each of which would be done at once: ten thousand workers that are back after a
 * restart. Sockets bring hundreds of pieces in one turn of the event loop, so that each being short says nothing of how long the
 * turn takes. Here they stand in one line, and the loop turns after each slice of it. A piece has taken what it did until it
 * waited for something else: with a synchronous database that is all of it.
 */
export class Slices {
  #waiting: (() => void)[] = []
  #next = 0
  #going = false

  /** Does the piece when those before it are done; in this turn of the loop where nobody waits. */
  add(piece: () => void): void {
    this.#waiting.push(piece)
    if (this.#going) return
    this.#going = true
    setImmediate(() => this.#go(performance.now()))
  }

  /** Resolves when it is one's turn. */
  async turn(): Promise<void> {
    await new Promise<void>((resolve) => this.add(resolve))
  }

  /** How many pieces wait. */
  get length(): number {
    return this.#waiting.length - this.#next
  }

  #go(began: number): void {
    const piece = this.#waiting[this.#next++]
    if (!piece) {
      this.#waiting = []
      this.#next = 0
      this.#going = false
      return
    }
    // Microtasks are run to their end before the next tick that one of them asks for: by then the piece has done what it can.
    queueMicrotask(() => process.nextTick(() => this.#after(began)))
    piece()
  }

  #after(began: number): void {
    if (performance.now() - began < SLICE_MS) return this.#go(began)
    setImmediate(() => this.#go(performance.now()))
  }
}

/** The line of this process: it has one event loop. */
export const slices = new Slices()
