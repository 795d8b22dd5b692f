import { once } from 'node:events'
import { connect, createServer, type AddressInfo } from 'node:net'
import { setImmediate as turnOfTheLoop } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { Turns } from './turns.ts'

/** As long as a turn may take, and a little more. */
function work(): void {
  for (const end = performance.now() + 11; performance.now() < end; );
}

it('nobody pauses before a turn was long, and a new turn begins when the loop has turned', async () => {
  const turns = new Turns()
  expect(turns.isLong).toBe(false)
  work()
  expect(turns.isLong).toBe(true)
  await turnOfTheLoop()
  expect(turns.isLong).toBe(false)
})

it('who pauses goes on in the order of coming, one in a turn of the loop', async () => {
  const turns = new Turns()
  const order: string[] = []
  let loops = 0
  let over = false
  void (async () => {
    while (!over) {
      await turnOfTheLoop()
      loops++
    }
  })()
  const go = async (name: string): Promise<void> => {
    for (let piece = 0; piece < 2; piece++) {
      if (turns.isLong) await turns.pause()
      work()
      order.push(`${name}${piece}@${loops}`)
    }
  }
  await Promise.all(['a', 'b', 'c'].map(go))
  over = true
  expect(order.map((entry) => entry.split('@')[0])).toEqual(['a0', 'a1', 'b0', 'c0', 'b1', 'c1'])
  expect(new Set(order.map((entry) => entry.split('@')[1])).size).toBe(order.length)
})

it('lets in all who stand at the door between two pieces of work', async () => {
  const turns = new Turns()
  let here = 0
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    here++
  }).on('connection', () => turns.arrived())
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  const sockets = Array.from({ length: 60 }, () => connect(port, '127.0.0.1').on('error', () => undefined))
  try {
    let pieces = 0
    for (; here < sockets.length; pieces++) {
      if (turns.isLong) await turns.pause()
      work()
    }
    // One after each piece, if the loop let in one at a time.
    expect(pieces).toBeLessThan(sockets.length / 3)
  } finally {
    for (const socket of sockets) socket.destroy()
    server.close()
  }
})
