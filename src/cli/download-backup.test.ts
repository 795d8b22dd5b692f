import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { pack } from 'tar-stream'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { createClient } from './client.ts'
import { downloadBackup } from './download-backup.ts'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'trueup-fetched-'))
})
afterEach(() => rm(directory, { recursive: true }))

it.each([
  ['in the middle of a file', 2048],
  ['between two files', 512 + 4096],
])('a connection that ends %s is told, and leaves nothing behind', async (_where, bytes) => {
  const archive = pack()
  archive.entry({ name: 'one' }, Buffer.alloc(4096, 1))
  archive.entry({ name: 'two' }, Buffer.alloc(4096, 2))
  archive.finalize()
  const whole = await buffer(archive as unknown as NodeJS.ReadableStream)
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/x-tar' })
    response.write(whole.subarray(0, bytes), () => response.destroy())
  }).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  try {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const client = createClient({ url, token: 'tut_x', source: 'environment' })
    const fetching = downloadBackup(client, join(directory, 'backup'))
    await expect(fetching).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringContaining('before the backup was whole'),
    })
    expect(await readdir(directory)).toEqual([])
  } finally {
    server.close()
  }
})
