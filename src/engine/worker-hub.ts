import type { ServerEvent } from '../domain/wire/worker-protocol.ts'

/** The channels of the connected workers. Events are hints: a lost one costs time, never correctness. */
export interface WorkerHub {
  /** Registers the channel of a worker; the answer takes it away. A newer channel of the same worker replaces the older. */
  attach(workerId: string, pools: readonly string[], send: (event: ServerEvent) => void): () => void
  send(workerId: string, event: ServerEvent): void
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
  return {
    attach(workerId, pools, send) {
      const channel = { pools, send }
      channels.set(workerId, channel)
      return () => {
        if (channels.get(workerId) === channel) channels.delete(workerId)
      }
    },
    send: (workerId, event) => channels.get(workerId)?.send(event),
    announceWork(pool) {
      for (const channel of channels.values()) if (channel.pools.includes(pool)) channel.send({ event: 'work' })
    },
    connected: () => [...channels].map(([workerId, { pools }]) => ({ workerId, pools })),
  }
}
