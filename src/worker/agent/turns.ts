/** Who works on a stack: any number of the server's runs, or this agent by itself. */
export interface Turns {
  /** A run of the server begins: waits until the agent is done with what it does by itself. */
  enter(stack: string): Promise<void>
  leave(stack: string): void
  /** Does the work where no run of the server is at the stack. */
  alone(stack: string, work: () => Promise<void>): Promise<void>
}

export function createTurns(): Turns {
  const runs = new Map<string, number>()
  const alone = new Map<string, Promise<void>>()
  return {
    async enter(stack) {
      runs.set(stack, (runs.get(stack) ?? 0) + 1)
      await alone.get(stack)
    },
    leave(stack) {
      const left = (runs.get(stack) ?? 1) - 1
      if (left > 0) runs.set(stack, left)
      else runs.delete(stack)
    },
    async alone(stack, work) {
      if (runs.has(stack)) return
      const done = work().finally(() => alone.delete(stack))
      alone.set(
        stack,
        done.catch(() => {}),
      )
      await done
    },
  }
}
