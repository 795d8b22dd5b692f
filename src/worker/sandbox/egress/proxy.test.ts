import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, request } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { parseEndpoint } from '../../../domain/sandbox/endpoint.ts'
import { type Egress, openEgress } from './proxy.ts'

let directory: string
let port: number
let egress: Egress | undefined
const lines: string[] = []
const refused: string[] = []
const server = createServer((asked, answer) => answer.end(`${asked.method} ${asked.url} ${asked.headers.host}`))

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'egress-'))
  lines.length = 0
  refused.length = 0
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  port = (server.address() as AddressInfo).port
})
afterEach(async () => {
  await egress?.close()
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
  rmSync(directory, { recursive: true })
})

/** `open`: loopback is let through, to have something to reach. */
async function allow(texts: string[], open = false): Promise<void> {
  egress = await openEgress(join(directory, 's'), {
    allowed: texts.map((text) => parseEndpoint(text)!),
    log: (line) => lines.push(line),
    refused: (target) => refused.push(target),
    ...(open && { isForbidden: () => false }),
  })
}
const connectTo = (path: string): Promise<{ status: number; socket: Socket }> =>
  new Promise((resolve, reject) => {
    request({ socketPath: join(directory, 's'), method: 'CONNECT', path })
      .once('connect', (answer, socket: Socket) => resolve({ status: answer.statusCode!, socket }))
      .once('error', reject)
      .end()
  })
const get = (path: string): Promise<{ status: number; text: string }> =>
  new Promise((resolve, reject) => {
    request({ socketPath: join(directory, 's'), path }, (answer) => {
      let text = ''
      answer.setEncoding('utf8')
      answer.on('data', (chunk) => (text += chunk))
      answer.once('end', () => resolve({ status: answer.statusCode!, text }))
    })
      .once('error', reject)
      .end()
  })

test('what is allowed is connected to, and each decision is told', async () => {
  await allow([`localhost:${port}`], true)
  const { status, socket } = await connectTo(`localhost:${port}`)
  expect(status).toBe(200)
  const answered = new Promise((resolve) => socket.once('data', (chunk) => resolve(String(chunk))))
  socket.write('GET /x HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n')
  expect(await answered).toContain('GET /x h')
  socket.destroy()
  expect(lines).toEqual([expect.stringMatching(/^egress: localhost:\d+ \((127\.0\.0\.1|::1)\)$/)])
})

test('plain HTTP is passed on to the host that was judged, whatever header says', async () => {
  await allow([`localhost:${port}`], true)
  expect(await get(`http://localhost:${port}/a?b=c`)).toEqual({ status: 200, text: `GET /a?b=c localhost:${port}` })
  expect((await get('/a')).status).toBe(400)
  expect((await get(`ftp://localhost:${port}/`)).status).toBe(400)
})

test('what is not allowed is refused', async () => {
  await allow(['example.org:443'], true)
  expect((await connectTo(`localhost:${port}`)).status).toBe(403)
  expect((await get(`http://localhost:${port}/`)).status).toBe(403)
  expect((await connectTo('example.org:444')).status).toBe(403)
  expect(refused).toEqual([`localhost:${port}`, `localhost:${port}`, 'example.org:444'])
  expect((await connectTo('nonsense')).status).toBe(400)
  expect(lines).toHaveLength(3)
  expect(lines[0]).toMatch(/refused: neither/)
})

test.each(['localhost', '127.0.0.1', '169.254.169.254', '[::1]', '[::ffff:127.0.0.1]', '[::ffff:7f00:1]', '0.0.0.0'])(
  'this machine, its link and metadata services are refused, even allowed by name: %s',
  async (host) => {
    const entry = host === '[::ffff:127.0.0.1]' ? '[::ffff:7f00:1]' : host
    await allow([`${entry}:${port}`])
    expect((await connectTo(`${host}:${port}`)).status).toBe(403)
    expect((await get(`http://${host}:${port}/`)).status).toBe(403)
    expect(lines.every((line) => line.includes('refused: '))).toBe(true)
  },
)
