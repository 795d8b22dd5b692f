import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, readFile } from 'node:fs/promises'
import { type ClientRequest, request as httpRequest } from 'node:http'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { deflateSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { NO_OID } from '../git/repository.ts'
import { userGit, userGitOk, writeFiles } from '../git/testing/fixture.ts'
import { commitAll, useGitServer, usualGrant } from './testing/git-server.ts'

const { fixture, grant, cloned, lastPush } = useGitServer()

test('a pack of a kilobyte that unpacks to gigabytes is refused', async () => {
  const { own, url } = await cloned('repo_bomb')
  const base = Buffer.alloc(1024 * 1024)
  const times = 3 * 1024
  // Deltas: size of base and result, then `copy 1 MiB from 0`, again and again (gitformat-pack).
  const copies = Buffer.concat(Array<Buffer>(times).fill(Buffer.from([0xf0, 0x00, 0x00, 0x10])))
  const delta = Buffer.concat([varint(base.length), varint(base.length * times), copies])
  const baseOid = createHash('sha1').update(`blob ${base.length}\0`).update(base).digest()
  const pack = Buffer.concat([
    Buffer.from('PACK\0\0\0\x02\0\0\0\x02', 'latin1'),
    objectHead(3, base.length),
    deflateSync(base),
    objectHead(7, delta.length),
    baseOid,
    deflateSync(delta),
  ])
  const line = `${NO_OID} ${baseOid.toString('hex')} refs/heads/bomb\0report-status`
  const body = Buffer.concat([
    Buffer.from(`${(line.length + 4).toString(16).padStart(4, '0')}${line}0000`, 'latin1'),
    pack,
    createHash('sha1').update(pack).digest(),
  ])
  expect(body.length).toBeLessThan(4096)
  const headers = { 'content-type': 'application/x-git-receive-pack-request' }
  const answer = await fetch(`${url}/git-receive-pack`, { method: 'POST', headers, body })
  expect(await answer.text()).toMatch(/unpack (?!ok)/)
  expect(await own.resolve('refs/heads/bomb')).toBeNull()
})

/** Seven bits a byte, the lowest first. */
const varint = (value: number): Buffer =>
  value < 128
    ? Buffer.from([value])
    : Buffer.concat([Buffer.from([(value % 128) | 128]), varint(Math.floor(value / 128))])

/** Type and size of an object in a pack: four bits of the size, then seven a byte. */
const objectHead = (type: number, size: number): Buffer =>
  Buffer.concat([Buffer.from([128 | (type << 4) | (size & 15)]), varint(Math.floor(size / 16))])

const collectGarbage = (() => {
  setFlagsFromString('--expose-gc')
  return runInNewContext('gc') as () => void
})()

/** Bytes of buffers that something still refers to. What waits to be collected depends on the machine, and says nothing. */
function heldBytes(): number {
  collectGarbage()
  return process.memoryUsage().arrayBuffers
}

test('50 MB stream through both ways and never sit in the memory of the server', async () => {
  const { own, clone, url } = await cloned('repo_large')
  for (let part = 0; part < 10; part++) await writeFiles(clone, { [`part-${part}`]: randomBytes(5 * 1024 * 1024) })
  const head = await commitAll(clone, {})
  const before = heldBytes()
  let peak = before
  const watch = setInterval(() => (peak = Math.max(peak, heldBytes())), 250)
  await userGitOk(clone, '-c', 'http.postBuffer=1048576', 'push', '-q', 'origin', 'HEAD:refs/heads/large')
  const other = await mkdtemp(join(fixture.directory, 'other-'))
  await userGitOk(other, 'clone', '-q', '-b', 'large', url, '.')
  clearInterval(watch)
  expect(await own.resolve('refs/heads/large')).toBe(head)
  expect((await readFile(join(other, 'part-9'))).equals(await readFile(join(clone, 'part-9')))).toBe(true)
  expect((peak - before) / 1024 / 1024).toBeLessThan(25)
})

test('a push above the limit is refused, and says so', async () => {
  const { own, clone } = await cloned('repo_limit')
  await commitAll(clone, { big: randomBytes(3_000_000) })
  grant.maxPushBytes = 1_000_000
  const pushed = await userGit(clone, 'push', 'origin', 'HEAD:refs/heads/big')
  expect(pushed.exitCode).not.toBe(0)
  expect(pushed.stderr).toMatch(/pack exceeds maximum allowed size/)
  expect(await own.resolve('refs/heads/big')).toBeNull()
})

test('push options are bounded, and many of them open no way to a protected branch', async () => {
  const { own, clone } = await cloned('repo_bounded')
  const first = (await own.resolve('main'))!
  await commitAll(clone, { second: '2' })
  const many = (count: number, size: number) =>
    Array.from({ length: count }, (_, i) => ['-o', `x${i}=${'y'.repeat(size)}`]).flat()
  for (const [count, size] of [
    [65, 1],
    [2500, 10],
    [20, 2000],
    [30, 60_000],
  ] as const) {
    const pushed = await userGit(
      clone,
      'push',
      ...many(count, size),
      'origin',
      'HEAD:refs/heads/main',
      'HEAD:refs/heads/x',
    )
    expect(pushed.exitCode).not.toBe(0)
  }
  expect((await userGit(clone, 'push', ...many(65, 1), 'origin', 'HEAD:refs/heads/x')).stderr).toContain(
    'It has more than 64 push options',
  )
  expect([...(await own.refs('refs/heads/')).entries()]).toEqual([['refs/heads/main', first]])
  await userGitOk(clone, 'push', '-q', ...many(60, 400), 'origin', 'HEAD:refs/heads/x')
  expect((await lastPush())?.options).toHaveLength(60)
})

test('a connection on which nothing moves is ended, and gives its place back', async () => {
  const { url } = await cloned('repo_idle')
  grant.idleMs = 200
  const ended = await new Promise<string>((resolve) => {
    const request = httpRequest(`${url}/git-receive-pack`, { method: 'POST' })
    request.once('error', () => resolve('ended'))
    request.once('response', () => resolve('answered'))
    request.write('00')
  })
  expect(ended).toBe('ended')
})

test('fetches of one reader that stand still leave the others their places', async () => {
  const { clone, url } = await cloned('repo_idle_fetches')
  const open = new Set<ClientRequest>()
  /** A fetch whose question is never said to its end. */
  const idle = (): Promise<number> =>
    new Promise((resolve) => {
      const headers = { 'content-type': 'application/x-git-upload-pack-request' }
      const request = httpRequest(`${url}/git-upload-pack`, { method: 'POST', headers })
      open.add(request)
      request.on('error', () => resolve(0))
      request.once('response', ({ statusCode = 0 }) => resolve(statusCode))
      request.write('00')
    })
  try {
    // More than may be inside and wait: as soon as one is refused the others are where they hold whatever they can.
    expect(await Promise.any(Array.from({ length: 60 }, idle))).toBe(503)
    grant.user = { id: 'usr_bob', name: 'Bob' }
    for (const _ of [1, 2]) await userGitOk(clone, 'fetch', '-q', 'origin', 'main')
    await commitAll(clone, { second: '2' })
    await userGitOk(clone, 'push', '-q', 'origin', 'HEAD:refs/heads/bobs')
  } finally {
    for (const request of open) request.destroy()
  }
  grant.user = usualGrant().user
  await userGitOk(clone, 'fetch', '-q', 'origin', 'bobs')
})
