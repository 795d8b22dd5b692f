import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, request as httpRequest } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { WebSocket, WebSocketServer } from 'ws'
import { PROTOCOL_VERSION } from '../src/domain/wire/versions.ts'
import { silentLogger } from '../src/lib/log.ts'
import { startLiveServer, until } from '../src/server/testing/live.ts'
import { parseOptions } from '../src/worker/options.ts'
import { startRunner } from '../src/worker/runner.ts'

/**
 * Records what server and worker of this version say to each other while one stack is deployed, as
 * `test/wire/protocol-N.json`. Run it once when the protocol gets a new number, and keep the file: the tests beside it play
 * each side against the programs of today. `node scripts/record-wire.ts [directory]`
 */
interface Frame {
  from: 'worker' | 'server'
  frame: unknown
}

const CONFIG = {
  version: 1,
  environments: { production: { tier: 'development', workers: 'edge' } },
  stacks: [
    {
      path: 'web',
      driver: 'command',
      environments: ['production'],
      with: { plan: 'echo change; exit 2', apply: 'echo applied' },
      verify: ['echo fine'],
    },
  ],
}

async function record(): Promise<Frame[]> {
  const frames: Frame[] = []
  const live = await startLiveServer(() => ({ 'trueup.yaml': stringify(CONFIG), 'web/file': 'content\n' }))
  const middle = await listenBetween(live.url, frames)
  const data = await mkdtemp(join(tmpdir(), 'trueup-wire-'))
  try {
    const { body } = await live.request('POST', '/api/v1/workers/enrolments', { pools: ['edge'] })
    const argv = [
      '--server',
      middle.url,
      '--token',
      (body as { token: string }).token,
      '--data',
      data,
      '--name',
      'edge',
    ]
    const runner = await startRunner(parseOptions(argv, {}), silentLogger)
    await until(
      () => live.shop('GET', '/runs?limit=100'),
      ({ body: seen }) => (seen as { items: { state: string }[] }).items.some(({ state }) => state === 'succeeded'),
      100_000,
    )
    await runner.stop(0)
  } finally {
    middle.close()
    await live.close()
    await rm(data, { recursive: true, force: true })
  }
  return frames
}

/** A relay that hands on everything and writes down the frames of sockets. */
async function listenBetween(target: string, frames: Frame[]): Promise<{ url: string; close(): void }> {
  const sockets = new WebSocketServer({ noServer: true })
  const server = createServer((asked, answer) => {
    const { method, url = '/', headers } = asked
    const onward = httpRequest(target + url, { method, headers }, (response) => {
      answer.writeHead(response.statusCode ?? 502, response.headers)
      response.pipe(answer)
    })
    asked.pipe(onward)
  })
  server.on('upgrade', (asked, socket, head) => {
    const { authorization = '' } = asked.headers
    const upstream = new WebSocket(target.replace('http', 'ws') + asked.url, { headers: { authorization } })
    const early: string[] = []
    upstream.on('message', (data: Buffer) => early.push(data.toString()))
    upstream.once('open', () =>
      sockets.handleUpgrade(asked, socket, head, (worker) => {
        const down = (text: string): void => {
          frames.push({ from: 'server', frame: JSON.parse(text) })
          worker.send(text)
        }
        upstream.removeAllListeners('message')
        early.forEach(down)
        upstream.on('message', (data: Buffer) => down(data.toString()))
        worker.on('message', (data: Buffer) => {
          frames.push({ from: 'worker', frame: JSON.parse(data.toString()) })
          upstream.send(data.toString())
        })
        worker.on('close', () => upstream.close())
        upstream.on('close', () => worker.close())
      }),
    )
    upstream.on('error', () => socket.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
}

/** Keys are of no use to anybody, and yet no scanner has to find them. */
function withoutKeys(name: string, value: unknown): unknown {
  if (name === 'keys') return { hash: 'aGFzaA==', plan: 'cGxhbg==' }
  return name === 'password' ? 'password' : value
}

const directory = process.argv[2] ?? join(import.meta.dirname, '..', 'test', 'wire')
await mkdir(directory, { recursive: true })
const file = join(directory, `protocol-${PROTOCOL_VERSION}.json`)
await writeFile(file, `${JSON.stringify(await record(), withoutKeys, 2)}\n`)
process.stdout.write(`${file}\n`)
process.exit()
