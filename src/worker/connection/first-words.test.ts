import { createHash } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, it } from 'vitest'
import type { Identity } from '../identity.ts'
import type { ServerEvent } from '../protocol.ts'
import { openWebSocket } from './websocket.ts'

/** RFC 6455 §4.2.2. */
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

/** A short unmasked text frame, RFC 6455 §5.2. */
const frame = (text: string): Buffer => Buffer.concat([Buffer.from([0x81, text.length]), Buffer.from(text)])

it('hears what the server says in the same packet as its handshake', async () => {
  const server = createServer().on('upgrade', (request, socket) => {
    const key = `${request.headers['sec-websocket-key']}${GUID}`
    const accept = createHash('sha1').update(key).digest('base64')
    const head = `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`
    socket.on('error', () => {})
    socket.write(Buffer.concat([Buffer.from(head), frame('{"event":"work"}')]))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const identity = { token: () => Promise.resolve('token') } as Partial<Identity> as Identity
  const { port } = server.address() as AddressInfo
  const heard = Promise.withResolvers<ServerEvent>()
  const connection = await openWebSocket({ server: `http://127.0.0.1:${port}` }, identity, heard.resolve)
  try {
    expect(await heard.promise).toEqual({ event: 'work' })
  } finally {
    connection.close()
    server.close()
  }
})
