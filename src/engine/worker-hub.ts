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
}

interface Channel {
  pools: readonly string[]
  send: (event: ServerEvent) => void
}

export function createWorkerHub(): WorkerHub {
  const channels = new Map<string, Channel>()
  const open = new Map<string, Set<() => void>>()
  return {
    attach(workerId, pools, send, cut) {
      const channel = { pools, send }
      channels.set(workerId, channel)
      const cuts = open.get(workerId) ?? new Set()
      if (cut) open.set(workerId, cuts.add(cut))
      return () => {
        if (channels.get(workerId) === channel) channels.delete(workerId)
        if (cut && cuts.delete(cut) && cuts.size === 0) open.delete(workerId)
      }
    },
    send: (workerId, event) => channels.get(workerId)?.send(event),
    cut(workerId) {
      for (const cut of open.get(workerId) ?? []) cut()
    },
    announceWork(pool) {
      for (const channel of channels.values()) if (channel.pools.includes(pool)) channel.send({ event: 'work' })
    },
    connected: () => [...channels].map(([workerId, { pools }]) => ({ workerId, pools })),
  }
}
