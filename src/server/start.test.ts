import { spawnSync } from 'node:child_process'
import { chmod, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { createServer } from 'node:net'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startServer, type RunningServer, type StartOptions } from './start.ts'
import { ask } from './testing/app.ts'

let dataDir: string
const running: RunningServer[] = []

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'trueup-start-'))
})
afterEach(async () => {
  for (const server of running.splice(0)) await server.close()
  await rm(dataDir, { recursive: true, force: true })
})

async function start(options: Partial<StartOptions> = {}): Promise<RunningServer> {
  const server = await startServer({ dataDir, port: 0, runnerSlots: 0, logLevel: 'silent', ...options })
  running.push(server)
  return server
}

const adminToken = async (): Promise<string> => (await readFile(join(dataDir, 'admin.token'), 'utf8')).trim()

describe('the first start', () => {
  it('makes an administrator whose token only its owner can read, and later starts keep it', async () => {
    const first = await start()
    expect(first).toMatchObject({ firstStart: true, adminTokenFile: join(dataDir, 'admin.token') })
    expect((await stat(first.adminTokenFile!)).mode & 0o777).toBe(0o600)
    const token = await adminToken()
    expect((await ask(first.url, token, 'GET', '/api/v1/session')).body.user).toMatchObject({
      name: 'admin',
      kind: 'admin',
    })
    await first.close()
    const second = await start()
    expect(second.firstStart).toBe(false)
    expect((await ask(second.url, token, 'GET', '/api/v1/session')).status).toBe(200)
  })

  it('keeps everything to its owner, in a directory of others and whatever the umask', async () => {
    await chmod(dataDir, 0o755)
    const before = process.umask(0)
    try {
      await start()
    } finally {
      process.umask(before)
    }
    const open: string[] = []
    for (const name of await readdir(dataDir)) {
      // The lock says who holds it, and holds nothing else.
      if (name.startsWith('lock.')) continue
      if (((await stat(join(dataDir, name))).mode & 0o077) !== 0) open.push(name)
    }
    expect(open).toEqual([])
  })

  it('writes where it can be found, and takes that away when it stops', async () => {
    const server = await start()
    const file = join(dataDir, 'server.json')
    expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({ url: server.url, pid: process.pid })
    expect((await ask(server.url, null, 'GET', '/readyz')).status).toBe(200)
    await server.close()
    await expect(stat(file)).rejects.toMatchObject({ code: 'ENOENT' })
    await server.close()
  })
})

describe('a start that cannot be', () => {
  it('says that the port is taken, and leaves the data directory free', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const { port } = other.address() as { port: number }
    await expect(start({ port })).rejects.toMatchObject({
      code: 'PORT_TAKEN',
      message: expect.stringContaining(String(port)),
    })
    other.close()
    await expect(start({ port })).resolves.toMatchObject({ url: expect.stringContaining(String(port)) })
  })

  it('says who uses the data directory', async () => {
    await start()
    await expect(start()).rejects.toMatchObject({
      code: 'DATA_LOCKED',
      message: expect.stringContaining(String(process.pid)),
    })
  })

  it('says that the address is not of this machine', async () => {
    await expect(start({ host: '192.0.2.1' })).rejects.toMatchObject({ code: 'INVALID_REQUEST' })
  })
})

describe.skipIf(process.getuid?.() !== 0 || spawnSync('mount', ['--version']).status !== 0)(
  'a full disk (root, mount)',
  () => {
    it('makes the server not ready, until there is room again', async (test) => {
      const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', dataDir])
      if (mounted.status !== 0) return test.skip('no right to mount')
      const ready = async (server: RunningServer) => (await ask(server.url, null, 'GET', '/readyz')).status
      try {
        const server = await start()
        expect(await ready(server)).toBe(200)
        spawnSync('dd', ['if=/dev/zero', `of=${join(dataDir, 'fill')}`, 'bs=64k'])
        await expect.poll(() => ready(server), { timeout: 180_000, interval: 200 }).toBe(503)
        await rm(join(dataDir, 'fill'))
        await expect.poll(() => ready(server), { timeout: 180_000, interval: 200 }).toBe(200)
        await server.close()
      } finally {
        spawnSync('umount', [dataDir])
      }
    })
  },
)

describe('the built-in runner', () => {
  const connected = async (server: RunningServer) => {
    const { body } = await ask(server.url, await adminToken(), 'GET', '/api/v1/workers')
    return body.items.filter((worker: { connected: boolean }) => worker.connected)
  }

  it('enrols, connects, is started again when it dies under the same identity, and ends with the server', async () => {
    const server = await start({ runnerSlots: 1 })
    await expect.poll(() => connected(server), { timeout: 180_000 }).toHaveLength(1)
    const [worker] = await connected(server)
    expect(worker).toMatchObject({ name: 'builtin', builtin: true, pools: ['default'] })
    const pid = server.runnerPid()!
    process.kill(pid, 'SIGKILL')
    // Between the two there is none.
    await expect.poll(() => [null, pid].includes(server.runnerPid()), { timeout: 180_000 }).toBe(false)
    await expect.poll(async () => (await connected(server))[0]?.id, { timeout: 180_000 }).toBe(worker.id)
    const second = server.runnerPid()!
    await server.close()
    expect(() => process.kill(second, 0)).toThrow('ESRCH')
  })

  it('comes back under its name when its own key was lost', async () => {
    const first = await start({ runnerSlots: 1 })
    await expect.poll(() => connected(first), { timeout: 180_000 }).toHaveLength(1)
    const [before] = await connected(first)
    await first.close()
    await rm(join(dataDir, 'runner'), { recursive: true })
    const second = await start({ runnerSlots: 1 })
    await expect.poll(() => connected(second), { timeout: 180_000 }).toHaveLength(1)
    const [after] = await connected(second)
    expect(after).toMatchObject({ name: 'builtin' })
    expect(after.id).not.toBe(before.id)
  })
})
