import type { ServerEvent } from '../domain/wire/worker-protocol.ts'

/** The channels of the connected workers. Events are hints: a lost one costs time, never correctness. */
export interface WorkerHub {
  /** Registers the channel of a worker; the answer takes it away. A newer channel of the same worker replaces the older. */
  attach(workerId: string, pools: readonly string[], send: (event: ServerEvent) => void, cut?: () => void): () => void
  send(workerId: string, event: ServerEvent): void
  /** Ends every channel of a worker that is trusted no longer, those that newer ones have replaced too. */
  cut(workerId: string): void
  /** Tells every worker of a pool that there may be work. */
  announceWork(pool: string): void
  connected(): { workerId: string; pools: readonly string[] }[]
  isConnected(workerId: string): boolean
  /** How many are connected. */
  count(): number
  /** Ids of the connected workers of a pool. There may be thousands of pools: nobody has to look through all workers for one. */
  serving(pool: string): string[]
  /** A watch of this stack was ordered of workers of the pool. */
  noteOrder(stackId: string, pool: string): void
  /** Pools of which a watch of the stack was ordered since this server started: some worker there may still have it. */
  orderedOf(stackId: string): readonly string[]
}

interface Channel {
  workerId: string
  pools: readonly string[]
  send: (event: ServerEvent) => void
}

/** One for all: what many are told is written once. */
const WORK: ServerEvent = { event: 'work' }

export function createWorkerHub(): WorkerHub {
  const channels = new Map<string, Channel>()
  const byPool = new Map<string, Set<Channel>>()
  const open = new Map<string, Set<() => void>>()
  const ordered = new Map<string, Set<string>>()
  const enter = (channel: Channel): void => {
    leave(channels.get(channel.workerId))
    channels.set(channel.workerId, channel)
    for (const pool of channel.pools) byPool.set(pool, (byPool.get(pool) ?? new Set()).add(channel))
  }
  const leave = (channel: Channel | undefined): void => {
    if (!channel || channels.get(channel.workerId) !== channel) return
    channels.delete(channel.workerId)
    for (const pool of channel.pools) {
      const serving = byPool.get(pool)
      serving?.delete(channel)
      if (serving?.size === 0) byPool.delete(pool)
    }
  }
  return {
    attach(workerId, pools, send, cut) {
      const channel = { workerId, pools, send }
      enter(channel)
      if (cut) open.set(workerId, (open.get(workerId) ?? new Set()).add(cut))
      return () => {
        leave(channel)
        const cuts = open.get(workerId)
        if (cut && cuts?.delete(cut) && cuts.size === 0) open.delete(workerId)
      }
    },
    send: (workerId, event) => channels.get(workerId)?.send(event),
    cut(workerId) {
      for (const cut of open.get(workerId) ?? []) cut()
    },
    announceWork(pool) {
      for (const channel of byPool.get(pool) ?? []) channel.send(WORK)
    },
    connected: () => [...channels.values()].map(({ workerId, pools }) => ({ workerId, pools })),
    isConnected: (workerId) => channels.has(workerId),
    count: () => channels.size,
    serving: (pool) => [...(byPool.get(pool) ?? [])].map(({ workerId }) => workerId),
    noteOrder(stackId, pool) {
      ordered.set(stackId, (ordered.get(stackId) ?? new Set()).add(pool))
    },
    orderedOf: (stackId) => [...(ordered.get(stackId) ?? [])],
  }
}
