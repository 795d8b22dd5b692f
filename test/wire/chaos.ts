import { createServer, request as httpRequest } from 'node:http'
import type { AddressInfo } from 'node:net'
import { WebSocket, WebSocketServer } from 'ws'

/** A relay between workers and a server, on which frames meet misfortune. */
export interface Chaos {
  url: string
  /** What befell frames so far, by kind. */
  count(): { [misfortune: string]: number }
  /** From now on everything goes through. */
  calm(): void
  close(): void
}

/**
 * `lost`: the connection is cut before the frame is handed on; `cut`: right after it; `twice`: it comes twice; `swapped`: the
 * frame after it overtakes it; `late`: the connection is cut, and what the worker said on it reaches the server only
 * after the first words of the next one.
 */
const MISFORTUNES = ['lost', 'cut', 'twice', 'swapped', 'late'] as const
type Fate = (typeof MISFORTUNES)[number] | 'none'

/** The same numbers in [0, 1) for the same seed (mulberry32). */
function numbersOf(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** `odds`: how many of a hundred frames something befalls. `onFrame` is told each frame before its fate. */
export async function startChaos(
  target: string,
  { seed, odds, onFrame }: { seed: number; odds: number; onFrame?: (from: string, method: string | undefined) => void },
): Promise<Chaos> {
  const chance = numbersOf(seed)
  const befell: { [misfortune: string]: number } = {}
  let isCalm = false
  /** What workers said on connections that are gone. */
  const belated: (() => void)[] = []
  const fate = (): Fate => {
    if (isCalm || chance() * 100 >= odds) return 'none'
    const misfortune = MISFORTUNES[Math.floor(chance() * MISFORTUNES.length)]!
    befell[misfortune] = (befell[misfortune] ?? 0) + 1
    return misfortune
  }

  const sockets = new WebSocketServer({ noServer: true })
  const server = createServer((asked, answer) => {
    const { method, url = '/', headers } = asked
    const onward = httpRequest(target + url, { method, headers }, (response) => {
      answer.writeHead(response.statusCode ?? 502, response.headers)
      response.pipe(answer)
      response.on('error', () => answer.destroy())
    })
    onward.on('error', () => answer.destroy())
    asked.pipe(onward)
  })
  server.on('upgrade', (asked, socket, head) => {
    socket.on('error', () => {})
    const { authorization = '' } = asked.headers
    const upstream = new WebSocket(target.replace('http', 'ws') + asked.url, { headers: { authorization } })
    upstream.on('error', () => socket.destroy())
    const early: string[] = []
    upstream.on('message', (data: Buffer) => early.push(data.toString()))
    upstream.once('open', () => {
      upstream.pause()
      sockets.handleUpgrade(asked, socket, head, (worker) => relay(worker, upstream, early))
    })
  })

  function relay(worker: WebSocket, upstream: WebSocket, early: string[]): void {
    const cut = (): void => {
      worker.terminate()
      upstream.terminate()
    }
    const toServer = throughFate(upstream, 'worker', cut, (text) => {
      // This worker is gone for the server only when its last word has come.
      worker.terminate()
      belated.push(() => {
        if (upstream.readyState === WebSocket.OPEN) upstream.send(text, () => upstream.terminate())
      })
    })
    const toWorker = throughFate(worker, 'server', cut, cut)
    upstream.removeAllListeners('message')
    for (const text of early) toWorker(text)
    upstream.on('message', (data: Buffer) => toWorker(data.toString()))
    worker.on('message', (data: Buffer) => {
      toServer(data.toString())
      for (const say of belated.splice(0)) say()
    })
    for (const [one, other] of [
      [worker, upstream],
      [upstream, worker],
    ] as const) {
      one.on('error', () => {})
      one.on('close', () => {
        if (belated.length === 0) other.terminate()
      })
    }
    upstream.resume()
  }

  function throughFate(to: WebSocket, from: string, cut: () => void, cutLate: (text: string) => void) {
    let overtaken: string | undefined
    const hand = (text: string): void => {
      if (to.readyState === WebSocket.OPEN) to.send(text)
    }
    return (text: string): void => {
      onFrame?.(from, (JSON.parse(text) as { method?: string }).method)
      const its = fate()
      if (its === 'swapped' && overtaken === undefined) {
        overtaken = text
        // Where nothing follows it comes all the same.
        setTimeout(() => {
          if (overtaken === text) hand(text)
          if (overtaken === text) overtaken = undefined
        }, 200).unref()
        return
      }
      if (its === 'lost') return cut()
      if (its === 'late') return cutLate(text)
      hand(text)
      if (its === 'twice') hand(text)
      if (overtaken !== undefined) hand(overtaken)
      overtaken = undefined
      if (its === 'cut') setImmediate(cut)
    }
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    count: () => ({ ...befell }),
    calm: () => void (isCalm = true),
    close() {
      for (const socket of sockets.clients) socket.terminate()
      server.closeAllConnections()
      server.close()
    },
  }
}
