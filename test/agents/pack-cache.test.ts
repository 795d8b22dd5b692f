import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { request } from 'node:http'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { until } from '../../src/server/testing/live.ts'
import { startPackCache } from '../deploy/nginx.ts'
import { describeWithTool } from '../tools.ts'
import { type AgentWorld, startAgentWorld } from './world.ts'

/** Counts what passes to the server from the cache, as lines of requests. */
async function counting(server: string) {
  const asked: string[] = []
  const { hostname, port } = new URL(server)
  const { createServer: createHttp } = await import('node:http')
  const between = createHttp((incoming, answer) => {
    asked.push(incoming.url ?? '')
    const { headers, method, url: path } = incoming
    request({ hostname, port, path, method, headers }, (got) => {
      answer.writeHead(got.statusCode!, got.headers)
      got.pipe(answer)
    }).end()
  })
  await new Promise<void>((resolve) => between.listen(0, '127.0.0.1', resolve))
  return {
    asked,
    url: `http://127.0.0.1:${(between.address() as { port: number }).port}`,
    close: () => between.close(),
  }
}

describeWithTool('nginx', 'a cache of packs in front', (tool) => {
  let world: AgentWorld
  let between: Awaited<ReturnType<typeof counting>>
  let cache: Awaited<ReturnType<typeof startPackCache>>
  const motd = () => {
    const file = join(world.target, 'motd')
    return existsSync(file) ? readFileSync(file, 'utf8') : null
  }
  /** Files of the cache, which hold what it answers with. */
  const kept = (directory = cache.files): string[] =>
    readdirSync(directory, { withFileTypes: true }).flatMap((entry) =>
      entry.isDirectory() ? kept(join(directory, entry.name)) : [join(directory, entry.name)],
    )

  beforeAll(async () => {
    world = await startAgentWorld()
    between = await counting(world.server.url)
    cache = await startPackCache(tool.path, join(world.server.directory, 'nginx'), between.url)
    await world.start({ packs: cache.url })
  })
  afterAll(async () => {
    await world?.close()
    await cache?.stop()
    between?.close()
  })

  it('gives each pack to any number of agents, and asks the server once', async () => {
    await world.change('one')
    await until(
      async () => motd(),
      (text) => text === 'one\n',
      300_000,
    )
    const paths = [...new Set(between.asked)]
    expect(paths.length).toBeGreaterThan(0)
    // Each was asked for once, whoever comes afterwards.
    expect(between.asked).toHaveLength(paths.length)
    for (const path of paths) {
      const answer = await fetch(cache.url + path)
      expect(answer.headers.get('x-cache')).toBe('HIT')
      expect(answer.headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
      const etag = answer.headers.get('etag')!
      expect(Buffer.from(await answer.arrayBuffer()).toString('latin1', 0, 4)).toBe('PACK')
      expect((await fetch(cache.url + path, { headers: { 'if-none-match': etag } })).status).toBe(304)
    }
    expect(between.asked).toHaveLength(paths.length)
  })

  it('nobody gets one by an address that was not given out', async () => {
    const [path] = between.asked
    const [name, signature] = path!.split('.')
    const other = signature!.startsWith('A') ? 'B' : 'A'
    for (const guess of [
      `${name}.${other}${signature!.slice(1)}`,
      name!,
      `${name}.`,
      `/api/v1/packs/..%2Fkeys%2Fdata.key`,
    ])
      expect((await fetch(world.server.url + guess)).status).toBe(404)
  })

  it('what it gives out changed is refused and reported, and nothing is applied', async () => {
    const before = new Set((await world.runs()).map(({ id }) => id))
    const { number } = await world.open('two')
    await until(
      () => world.server.shop('GET', `/merge-requests/${number}`),
      ({ body }) => (body as { mergeable: boolean }).mergeable,
      300_000,
    )
    // From now on the cache answers with the pack of an earlier commit, whatever it is asked for.
    const earlier = readFileSync(kept()[0]!)
    const pack = earlier.subarray(earlier.indexOf('\r\n\r\n') + 4)
    await cache.stop()
    const liar = createServer((socket) => {
      socket.on('error', () => {})
      socket.once('data', () =>
        socket.end(Buffer.concat([Buffer.from('HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n'), pack])),
      )
    })
    await new Promise<void>((resolve) => liar.listen(Number(new URL(cache.url).port), '127.0.0.1', resolve))
    try {
      await world.server.shop('POST', `/merge-requests/${number}/merge`, {})
      const run = await world.ended(({ kind, id }) => kind === 'deploy' && !before.has(id))
      expect(run).toMatchObject({ state: 'failed', error: { code: 'PACK_INVALID' } })
      expect(motd()).toBe('one\n')
    } finally {
      await new Promise((resolve) => liar.close(resolve))
    }
    // With the cache gone the server is asked.
    await world.change('three')
    await until(
      async () => motd(),
      (text) => text === 'three\n',
      300_000,
    )
  })
})
