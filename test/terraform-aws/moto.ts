import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { once } from 'node:events'
import { requireTool } from '../tools.ts'

export interface Moto {
  url: string
  stop(): Promise<void>
}

/** Starts moto's server (PyPI `moto[server]`) on a port that is free, and waits until it listens. */
export async function startMoto(): Promise<Moto> {
  const child = spawn(requireTool('moto_server').path, ['-H', '127.0.0.1', '-p', '0'], {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ended = once(child, 'exit')
  const url = await Promise.race([
    new Promise<string>((resolve) => {
      for (const stream of [child.stdout, child.stderr]) {
        createInterface({ input: stream }).on('line', (line) => {
          const found = /Running on (http:\/\/127\.0\.0\.1:\d+)/.exec(line)?.[1]
          if (found !== undefined) resolve(found)
        })
      }
    }),
    ended.then(() => {
      throw new Error('moto_server ended before it listened')
    }),
  ])
  return {
    url,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return
      // Its launcher may have started another process: the whole group goes.
      process.kill(-child.pid!, 'SIGKILL')
      await ended
    },
  }
}
