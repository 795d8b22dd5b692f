import type { ServerEvent } from '../domain/wire/worker-protocol.ts'

/** The channels of the connected workers. Events are hints: a lost one costs time, never correctness. */
export interface WorkerHub {
  /** Registers the channel of a worker; the answer takes it away. A newer channel of the same worker replaces the older. */
  attach(workerId: string, pools: readonly string[], send: (event: ServerEvent) => void, cut?: () => void): () => void
  send(workerId: string, event: ServerEvent): void
  /** Ends the channel of a worker that is trusted no longer. */
  cut(workerId: string): void
  /** Tells every worker of a pool that there may be work. */
  announceWork(pool: string): void
  connected(): { workerId: string; pools: readonly string[] }[]
}

interface Channel {
  pools: readonly string[]
  send: (event: ServerEvent) => void
  /** Ends the connection itself; absent where there is none that stands, since each request is looked at anyway. */
  cut: (() => void) | undefined
}

export function createWorkerHub(): WorkerHub {
  const channels = new Map<string, Channel>()
  return {
    attach(workerId, pools, send, cut) {
      const channel = { pools, send, cut }
      channels.set(workerId, channel)
      return () => {
        if (channels.get(workerId) === channel) channels.delete(workerId)
      }
    },
    send: (workerId, event) => channels.get(workerId)?.send(event),
    cut: (workerId) => channels.get(workerId)?.cut?.(),
    announceWork(pool) {
      for (const channel of channels.values()) if (channel.pools.includes(pool)) channel.send({ event: 'work' })
    },
    connected: () => [...channels].map(([workerId, { pools }]) => ({ workerId, pools })),
  }
}
