import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { z } from 'zod'
import { collect } from '../../src/cli/output.ts'
import { TrueupError } from '../../src/lib/errors/error.ts'
import { Comment } from '../../src/server/schemas/merge-requests.ts'
import { RunSummary } from '../../src/server/schemas/plans.ts'
import { AuditVerdict } from '../../src/server/schemas/operations.ts'
import { freePort } from '../../src/lib/testing/free-port.ts'
import { launch, type ServerOptions } from './server.ts'
import { until } from './wait.ts'
import { createWorld, REPOSITORY } from './world.ts'

// What a host can do to a server: no room, no right to write, somebody else in its place.
const undo: (() => void)[] = []
afterEach(() => {
  for (const step of undo.splice(0).reverse()) step()
})

const canMount = process.getuid?.() === 0 && process.platform === 'linux'

function directory(): string {
  const path = mkdtempSync(join(tmpdir(), 'trueup-host-'))
  undo.push(() => rmSync(path, { recursive: true, force: true }))
  return path
}

/** A file system of its own of so many MiB; gone after the test. */
function smallDisk(mebibytes: number): string {
  const path = directory()
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${mebibytes}m`, 'tmpfs', path])
  undo.push(() => void execFileSync('umount', ['--lazy', path]))
  return path
}

async function optionsFor(dataDir: string): Promise<ServerOptions> {
  const scratch = directory()
  const [hold, workDir, logFile] = [join(scratch, 'hold'), join(scratch, 'work'), join(scratch, 'log')]
  return { dataDir, hold, workDir, logFile, port: await freePort(), slots: 0, lease: '15s' }
}

/** Starts a server that must not come up; what it says. */
async function refusal(options: ServerOptions): Promise<string> {
  const server = launch(options)
  expect(await server.exited).toMatchObject({ code: 1 })
  return server.errors()
}

test.skipIf(!canMount)(
  'a full disk (needs root to mount one): clear answers, nothing half written, then on',
  async () => {
    const dataDir = smallDisk(48)
    const world = await createWorld({ lease: '15s', keep: false, terraform: null, dataDir })
    undo.push(() => void world.close())
    const mr = await world.propose('before', { 'notes/before': 'x\n' })
    const comments = `${REPOSITORY}/merge-requests/${mr.number}/comments`
    const filler = join(dataDir, 'filler')
    fill(filler)

    // Small rows still fit into pages that are there; sooner or later one does not.
    const written: string[] = []
    let refused: unknown
    for (let n = 0; n < 200 && !refused; n++) {
      const body = `${n} ${randomBytes(20_000).toString('hex')}`
      await world.ada.send('POST', comments, Comment, { body }).then(
        () => written.push(body),
        (error: unknown) => (refused = error),
      )
    }
    expect(refused).toBeInstanceOf(TrueupError)
    expect((refused as TrueupError).code).toBe('NO_ROOM')
    expect((refused as TrueupError).message).toMatch(/full|space/i)
    expect((await fetch(`${world.server.url}/healthz`)).status).toBe(200)
    const readyz = async (): Promise<string> => await (await fetch(`${world.server.url}/readyz`)).text()
    await until('it says that it is not ready, and why', async () => (await readyz()).includes('there is no room'))

    await world.copy.git('switch', '--quiet', '--create', 'large', 'origin/main')
    writeFileSync(join(world.copy.directory, 'blob.bin'), randomBytes(8 * 1024 * 1024))
    await world.copy.git('add', '--all')
    await world.copy.git('commit', '--quiet', '--message', 'large')
    const push = await world.copy.git('push', 'origin', 'large').then(
      () => null,
      (error: unknown) => String(error),
    )
    expect(push).toMatch(/remote:|No space left|unpack/)

    rmSync(filler)
    await until('it is ready again', async () => (await readyz()).includes('"ready"'))
    await world.copy.git('push', '--quiet', 'origin', 'large')
    await world.ada.send('POST', comments, Comment, { body: 'room again' })
    const list = z.object({ items: z.array(Comment) })
    const bodies = (await world.ada.get(comments, list)).items.map(({ body }) => body)
    for (const body of written) expect(bodies).toContain(body)
    expect(await world.admin.send('POST', '/api/v1/audit/verify', AuditVerdict)).toMatchObject({ ok: true })
    await world.close()
    undo.splice(undo.length - 1, 1)
  },
)

test.skipIf(!canMount)(
  'a full disk for workspaces (needs root to mount one): runs wait for room, say so, and go on when there is some',
  async () => {
    const world = await createWorld({ lease: '15s', keep: false, terraform: null })
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', world.workDir])
    try {
      // One whose files do not fit, and one whose tool needs the room.
      const plans = { wide: 'true', greedy: 'dd if=/dev/zero of=blob bs=1k count=4096' }
      const stacks = Object.entries(plans).map(
        ([path, plan]) =>
          `  - { path: ${path}, driver: command, environments: [production], with: { plan: "${plan}", apply: "true" } }`,
      )
      const config = `version: 1\nenvironments:\n  production: { tier: production }\nstacks:\n${stacks.join('\n')}\n`
      const blob = randomBytes(2 * 1024 * 1024).toString('hex')
      const files = { 'trueup.yaml': config, 'wide/blob': blob, 'greedy/small': 'x\n' }
      const proposed = world.propose('full', files)
      const waiting = async (): Promise<RunSummary[]> =>
        (await collect(world.ada.all(`${REPOSITORY}/runs`, RunSummary))).filter(
          ({ state, reason }) => state === 'queued' && reason === 'no_room',
        )
      const seen = new Map<string, string>()
      await until('both runs wait for room', async () => {
        for (const { stack, message } of await waiting()) seen.set(stack, message ?? '')
        return seen.size === 2
      })
      for (const message of seen.values()) expect(message).toMatch(/no space left|no room/i)
      execFileSync('mount', ['-o', 'remount,size=64m', world.workDir])
      expect((await proposed).stacks).toMatchObject([{ state: 'succeeded' }, { state: 'succeeded' }])
    } finally {
      execFileSync('umount', ['--lazy', world.workDir])
      await world.close()
    }
  },
)

function fill(file: string): void {
  try {
    execFileSync('dd', ['if=/dev/zero', `of=${file}`, 'bs=64k'], { stdio: 'ignore' })
  } catch {
    // dd ends with an error when there is no room left: that was the point.
  }
}

test.skipIf(!canMount)('a read-only data directory (needs root to mount one) is said at the start', async () => {
  const dataDir = smallDisk(16)
  execFileSync('mount', ['-o', 'remount,ro', dataDir])
  expect(await refusal(await optionsFor(dataDir))).toMatch(/DATA_UNWRITABLE/)
})

test('a data directory that is a file is said at the start', async () => {
  const file = join(directory(), 'data')
  writeFileSync(file, 'not a directory')
  expect(await refusal(await optionsFor(file))).toMatch(/DATA_UNWRITABLE/)
})

test('a port that is taken is named, and nothing is left running', async () => {
  const options = await optionsFor(join(directory(), 'data'))
  const squatter = createServer()
  await new Promise<void>((resolve) => squatter.listen(options.port, '127.0.0.1', resolve))
  undo.push(() => squatter.close())
  const said = await refusal(options)
  expect(said).toMatch(/PORT_TAKEN/)
  expect(said).toContain(String(options.port))
})

test('a second server on one data directory is told who holds it', async () => {
  const options = await optionsFor(join(directory(), 'data'))
  const first = launch(options)
  try {
    await until(
      'the first server answers',
      async () => (await fetch(`http://127.0.0.1:${options.port}/readyz`).catch(() => null))?.ok === true,
    )
    const said = await refusal({ ...options, port: await freePort() })
    expect(said).toMatch(/DATA_LOCKED/)
    expect(said).toContain(String(first.child.pid))
  } finally {
    first.child.kill('SIGTERM')
    await first.exited
  }
})
