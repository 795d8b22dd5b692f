import { spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { chmod, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { createServer, request as httpRequest, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { deflateSync, gzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { listPushes, newPushFile, readPush } from '../git/push-file.ts'
import type { PushUpdate } from '../git/push-request.ts'
import type { GitRepository } from '../git/repository.ts'
import {
  eventually,
  isAlive,
  processesOf,
  startGitFixture,
  userGit,
  userGitOk,
  writeFiles,
  type GitFixture,
} from '../git/testing/fixture.ts'
import { handleGitHttp, type GitHttpResult } from './git-http.ts'

let fixture: GitFixture
let server: Server
let address: string
const results: GitHttpResult[] = []
/** What the server grants at the moment; tests that change it put it back. */
const grant = {
  protectedRefs: ['refs/heads/main', 'refs/heads/release/1'],
  allowBootstrap: true,
  openMergeRequests: [] as { branch: string; number: number }[],
  maxPushBytes: 200 * 1024 * 1024,
  idleMs: 120_000,
  beforePush: async (_updates: readonly PushUpdate[]): Promise<void> => {},
}

beforeAll(async () => {
  fixture = await startGitFixture()
  server = createServer((request, response) => {
    const [, repositoryId = '', path = ''] = /^\/([^/]+)(\/[^?]*)/.exec(request.url ?? '') ?? []
    const { protectedRefs, allowBootstrap, openMergeRequests, maxPushBytes, idleMs } = grant
    void handleGitHttp(request, response, {
      service: fixture.service,
      repositoryId,
      user: { id: 'usr_ada', name: 'Ada\nupdate forged' },
      path,
      pushFile: newPushFile(fixture.spool),
      protectedRefs,
      allowBootstrap,
      openMergeRequests,
      beforePush: (updates) => grant.beforePush(updates),
      limits: { maxPushBytes, idleMs },
    }).then((result) => results.push(result))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(async () => {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
  await fixture.close()
})

/** A new repository with one commit on main, and a clone of it by HTTP. */
async function cloned(id: string): Promise<{ own: GitRepository; clone: string; url: string }> {
  const own = fixture.service.repository(id)
  await own.init('main')
  const url = `${address}/${id}`
  const clone = await mkdtemp(join(fixture.directory, `${id}-`))
  await userGitOk(clone, 'init', '-q', '-b', 'main', '.')
  await userGitOk(clone, 'remote', 'add', 'origin', url)
  await change(clone, { 'README.md': 'hello\n' })
  await userGitOk(clone, 'push', '-q', 'origin', 'main')
  return { own, clone, url }
}

async function change(clone: string, files: { [path: string]: string | Buffer }): Promise<string> {
  await writeFiles(clone, files)
  await userGitOk(clone, 'add', '-A')
  await userGitOk(clone, 'commit', '-qm', 'change')
  return (await userGitOk(clone, 'rev-parse', 'HEAD')).trim()
}

async function lastPush() {
  const file = (await listPushes(fixture.spool)).at(-1)
  return file ? await readPush(file) : null
}

test('the first push of the default branch makes the repository, and only that one passes', async () => {
  const { own, clone } = await cloned('repo_bootstrap')
  const first = (await userGitOk(clone, 'rev-parse', 'HEAD')).trim()
  expect(await own.resolve('main')).toBe(first)
  expect(await lastPush()).toEqual({
    repositoryId: 'repo_bootstrap',
    userId: 'usr_ada',
    updates: [{ ref: 'refs/heads/main', oldOid: '0'.repeat(40), newOid: first }],
    options: [],
  })
  await change(clone, { second: '2' })
  const refused = await userGit(clone, 'push', 'origin', 'main')
  expect(refused.exitCode).not.toBe(0)
  for (const line of [
    "remote: Trueup: 'main' was not pushed.",
    'remote: It is protected: changes come in by merge requests only.',
    'remote: Next: push a branch and open a merge request:',
    'remote:   git push origin HEAD:refs/heads/my-change',
    'remote:   trueup mr create',
  ]) {
    expect(refused.stderr).toContain(line)
  }
  expect(await own.resolve('main')).toBe(first)
  expect(results.at(-1)).toEqual({ pushed: false, uncertain: false })
})

test('the pusher hears of the merge request that a push updates, and is not told to open another', async () => {
  const { clone } = await cloned('repo_hints')
  await userGitOk(clone, 'branch', 'other')
  await change(clone, { a: '1' })
  grant.openMergeRequests = [
    { branch: 'x', number: 12 },
    { branch: 'feature/x', number: 3 },
  ]
  try {
    const updated = await userGit(clone, 'push', 'origin', 'HEAD:refs/heads/feature/x', 'other')
    expect(updated.stderr).toContain('remote: Trueup: !3 is updated: trueup mr show 3')
    expect(updated.stderr).toContain('to open a merge request for other:')
    expect(updated.stderr).not.toContain('to open a merge request for feature/x')
    await change(clone, { a: '2' })
    const again = await userGit(clone, 'push', 'origin', 'HEAD:refs/heads/other')
    expect([again.exitCode, again.stderr]).toEqual([0, expect.not.stringContaining('Trueup')])
  } finally {
    grant.openMergeRequests = []
  }
})

test('without bootstrap even the first push is refused', async () => {
  grant.allowBootstrap = false
  try {
    await expect(cloned('repo_closed')).rejects.toThrow(/It is protected/)
    expect(await fixture.service.repository('repo_closed').refs()).toEqual(new Map())
  } finally {
    grant.allowBootstrap = true
  }
})

test('clone, branch, force-push, fetch, delete', async () => {
  const { own, clone, url } = await cloned('repo_flow')
  const first = await change(clone, { 'a/b': '1' })
  const pushed = await userGit(clone, 'push', 'origin', 'HEAD:refs/heads/feature/x')
  expect(pushed.exitCode).toBe(0)
  expect(pushed.stderr).toContain(
    'remote: Trueup: to open a merge request for feature/x: trueup mr create, or push with -o mr',
  )
  await userGitOk(clone, 'commit', '-q', '--amend', '-m', 'better')
  const second = (await userGitOk(clone, 'rev-parse', 'HEAD')).trim()
  expect((await userGit(clone, 'push', 'origin', 'HEAD:refs/heads/feature/x')).exitCode).not.toBe(0)
  await userGitOk(clone, 'push', '-q', '--force-with-lease=feature/x', '-f', 'origin', 'HEAD:refs/heads/feature/x')
  expect((await lastPush())?.updates).toEqual([{ ref: 'refs/heads/feature/x', oldOid: first, newOid: second }])
  const other = await mkdtemp(join(fixture.directory, 'other-'))
  await userGitOk(other, 'clone', '-q', '-b', 'feature/x', url, '.')
  expect(await readFile(join(other, 'a/b'), 'utf8')).toBe('1')
  await userGitOk(clone, 'push', '-q', 'origin', '--delete', 'feature/x')
  expect((await lastPush())?.updates[0]?.newOid).toBe('0'.repeat(40))
  expect(await own.resolve('refs/heads/feature/x')).toBeNull()
  await userGitOk(other, 'fetch', '-q', '--prune')
  expect((await userGitOk(other, 'branch', '-r')).includes('feature/x')).toBe(false)
  const shallow = await mkdtemp(join(fixture.directory, 'shallow-'))
  await userGitOk(shallow, 'clone', '-q', '--depth', '1', '--filter=blob:none', '--no-checkout', url, '.')
})

test('names that belong to Trueup, unsafe names and the default branch are guarded', async () => {
  const { own, clone } = await cloned('repo_guard')
  grant.protectedRefs = []
  try {
    const say = async (...refspec: string[]) => (await userGit(clone, 'push', 'origin', ...refspec)).stderr
    expect(await say('HEAD:refs/trueup/x')).toContain('Trueup writes refs/trueup/ and refs/merge-requests/ itself')
    expect(await say('HEAD:refs/merge-requests/1/head')).toContain('Trueup writes refs/trueup/')
    expect(await say('HEAD:refs/changes/1')).toContain('Only branches (refs/heads/), tags and notes can be pushed')
    expect(await say('HEAD:refs/heads/refs/heads/main')).toContain(
      'A name like this is easily taken for something else',
    )
    expect(await say(':refs/heads/main')).toMatch(/'main' was not deleted[^]*default branch[^]*Next: leave it/)
    expect([...(await own.refs()).keys()]).toEqual(['refs/heads/main'])
    await change(clone, { open: '1' })
    await userGitOk(clone, 'push', '-q', 'origin', 'main')
    await userGitOk(clone, 'tag', 'v1')
    await userGitOk(clone, 'push', '-q', 'origin', 'v1')
    await userGit(clone, 'push', 'origin', 'HEAD:refs/heads/ok', 'HEAD:refs/trueup/x')
    expect(await own.resolve('refs/heads/ok')).toBeNull()
  } finally {
    grant.protectedRefs = ['refs/heads/main', 'refs/heads/release/1']
  }
  expect((await userGit(clone, 'push', 'origin', 'HEAD:refs/heads/release/1')).stderr).toContain(
    "'release/1' was not pushed",
  )
  await userGitOk(clone, 'push', '-q', 'origin', 'HEAD:refs/heads/release/10')
})

test('refs of Trueup are not shown, those of merge requests are', async () => {
  const { own, clone } = await cloned('repo_hidden')
  const head = (await own.resolve('main'))!
  await own.updateRef('refs/trueup/keep', head, '0'.repeat(40))
  await own.updateRef('refs/merge-requests/1/head', head, '0'.repeat(40))
  const refs = await userGitOk(clone, 'ls-remote', 'origin')
  expect(refs).not.toContain('refs/trueup')
  expect(refs).toContain('refs/merge-requests/1/head')
})

test('push options arrive, and cannot forge a line of the record', async () => {
  const { clone } = await cloned('repo_options')
  await change(clone, { a: '1' })
  const pushed = await userGit(
    clone,
    'push',
    '-o',
    'mr',
    '-o',
    'title=It\'s "done" $(id) `x`',
    'origin',
    'HEAD:refs/heads/opt',
  )
  expect(pushed.stderr).toContain('a merge request for opt is being opened')
  const push = (await lastPush())!
  expect(push.options).toEqual(['mr', 'title=It\'s "done" $(id) `x`'])
  expect(push.updates).toHaveLength(1)
})

test('the pusher hears that no merge request is opened, and why', async () => {
  const { clone } = await cloned('repo_nothing')
  await userGitOk(clone, 'branch', 'idle')
  await change(clone, { a: '1' })
  const push = async (options: string[], ...refs: string[]) => {
    const pushed = await userGit(clone, 'push', ...options.flatMap((option) => ['-o', option]), 'origin', ...refs)
    expect(pushed.exitCode).toBe(0)
    return pushed.stderr
  }
  const none = 'remote: Trueup: no merge request is opened for'
  const said = await push(['mr'], 'idle:refs/heads/idle', 'HEAD:refs/heads/ahead')
  expect(said).toContain(`${none} idle: it has no commit that main lacks. Commit something and push again.`)
  expect(said).toContain('a merge request for ahead is being opened')
  // Against another target the same commits can be new, or again not.
  expect(await push(['mr.target=idle'], 'HEAD:refs/heads/b')).toContain('a merge request for b is being opened')
  expect(await push(['mr.target=ahead'], 'HEAD:refs/heads/c')).toContain(`${none} c: it has no commit that ahead lacks`)
  expect(await push(['mr.target=nowhere'], 'HEAD:refs/heads/d')).toContain(`${none} d: there is no branch nowhere.`)
  expect(await push(['mr.target=e'], 'HEAD:refs/heads/e')).toContain(`${none} e: it is the target itself.`)
  expect(await push(['mr.unknown'], 'HEAD:refs/heads/f')).not.toContain('is being opened')
})

test('names that are not UTF-8, quotes and submodules go through', async () => {
  const { own, clone } = await cloned('repo_names')
  await writeFile(Buffer.concat([Buffer.from(`${clone}/caf`), Buffer.from([0xe9])]), 'latin')
  const sub = (await userGitOk(clone, 'rev-parse', 'HEAD')).trim()
  await userGitOk(clone, 'update-index', '--add', '--cacheinfo', `160000,${sub},vendor/mod`)
  await userGitOk(clone, 'add', ':/caf*')
  await userGitOk(clone, 'commit', '-qm', 'odd')
  await userGitOk(clone, 'push', '-q', 'origin', 'HEAD:refs/heads/odd-ü')
  const head = (await own.resolve('refs/heads/odd-ü'))!
  expect((await own.listFiles(head)).map((file) => `${file.mode} ${file.path}`)).toEqual([
    '100644 README.md',
    '100644 caf\ufffdE9',
    '160000 vendor/mod',
  ])
})

test('a push with broken objects is refused', async () => {
  const { own, clone } = await cloned('repo_broken')
  const blob = (await userGitOk(clone, 'hash-object', '-w', 'README.md')).trim()
  await writeFile(join(clone, 'tree'), `100644 blob ${blob}\t.GIT\n`)
  const tree = await new Promise<string>((resolve) => {
    const mktree = spawn('git', ['mktree'], { cwd: clone, stdio: ['pipe', 'pipe', 'inherit'] })
    mktree.stdout.on('data', (chunk: Buffer) => resolve(chunk.toString().trim()))
    mktree.stdin.end(`100644 blob ${blob}\t.GIT\n`)
  })
  const commit = (await userGitOk(clone, 'commit-tree', tree, '-m', 'evil')).trim()
  const pushed = await userGit(clone, 'push', 'origin', `${commit}:refs/heads/evil`)
  expect(pushed.stderr).toMatch(/hasDotgit/)
  expect(await own.resolve('refs/heads/evil')).toBeNull()
})

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
  const line = `${'0'.repeat(40)} ${baseOid.toString('hex')} refs/heads/bomb\0report-status`
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

test('50 MB stream through both ways and never sit in the memory of the server', async () => {
  const { own, clone, url } = await cloned('repo_large')
  for (let part = 0; part < 10; part++) await writeFiles(clone, { [`part-${part}`]: randomBytes(5 * 1024 * 1024) })
  const head = await change(clone, {})
  const before = process.memoryUsage().rss
  let peak = before
  const watch = setInterval(() => (peak = Math.max(peak, process.memoryUsage().rss)), 10)
  await userGitOk(clone, '-c', 'http.postBuffer=1048576', 'push', '-q', 'origin', 'HEAD:refs/heads/large')
  const other = await mkdtemp(join(fixture.directory, 'other-'))
  await userGitOk(other, 'clone', '-q', '-b', 'large', url, '.')
  clearInterval(watch)
  expect(await own.resolve('refs/heads/large')).toBe(head)
  expect((await readFile(join(other, 'part-9'))).equals(await readFile(join(clone, 'part-9')))).toBe(true)
  expect((peak - before) / 1024 / 1024).toBeLessThan(40)
}, 120_000)

test('a push above the limit is refused, and says so', async () => {
  const { own, clone } = await cloned('repo_limit')
  await change(clone, { big: randomBytes(3_000_000) })
  grant.maxPushBytes = 1_000_000
  try {
    const pushed = await userGit(clone, 'push', 'origin', 'HEAD:refs/heads/big')
    expect(pushed.exitCode).not.toBe(0)
    expect(pushed.stderr).toMatch(/pack exceeds maximum allowed size/)
    expect(await own.resolve('refs/heads/big')).toBeNull()
  } finally {
    grant.maxPushBytes = 200 * 1024 * 1024
  }
})

test('compressed requests are understood', async () => {
  const { url, own } = await cloned('repo_gzip')
  const head = await own.resolve('main')
  const body = gzipSync(Buffer.from(`${pkt('command=ls-refs\n')}0001${pkt('peel\n')}0000`))
  const response = await fetch(`${url}/git-upload-pack`, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-git-upload-pack-request',
      'content-encoding': 'gzip',
      'git-protocol': 'version=2',
    },
    body,
  })
  expect(response.status).toBe(200)
  expect(await response.text()).toContain(`${head} refs/heads/main`)
})

test.each([
  '/HEAD',
  '/objects/info/packs',
  '/info/refs',
  '/info/refs?service=git-evil',
  '/config',
  '/../repo_test.git/info/refs',
])('the dumb protocol and everything else is off: %s', async (path) => {
  expect((await fetch(`${address}/repo_test${path}`)).status).toBe(403)
})

test('a ticket is good once, and nothing is served without one', async () => {
  const ask = (ticket: string): Promise<number> =>
    new Promise((resolve, reject) => {
      const { socketPath } = fixture.service.http
      httpRequest(
        { socketPath, path: '/info/refs?service=git-upload-pack', headers: { 'x-trueup-ticket': ticket } },
        (response) => {
          response.resume()
          resolve(response.statusCode ?? 0)
        },
      )
        .once('error', reject)
        .end()
    })
  const ticket = await fixture.service.http.admit({
    repository: 'repo_test',
    user: { id: 'usr_a', name: 'A' },
    pushFile: join(fixture.spool, 'x.push'),
    protectedRefs: [],
    defaultRef: 'refs/heads/main',
    allowBootstrap: false,
    openMergeRequests: [],
    maxPushBytes: 1,
    timeoutMs: 10_000,
  })
  expect(await ask('')).toBe(403)
  expect(await ask(ticket)).toBe(200)
  expect(await ask(ticket)).toBe(403)
})

test('when the client goes away git is ended and the repository stays as it was', async () => {
  const { own, clone, url } = await cloned('repo_abort')
  await change(clone, { big: randomBytes(20_000_000) })
  const settled = results.length
  const push = spawn('git', ['-c', 'http.postBuffer=65536', 'push', 'origin', 'HEAD:refs/heads/aborted'], {
    cwd: clone,
    stdio: 'ignore',
    detached: true,
  })
  await eventually(() => processesOf(fixture.root, 'receive-pack --stateless-rpc').length > 0)
  process.kill(-push.pid!, 'SIGKILL')
  await eventually(() => processesOf(fixture.root, 'receive-pack --stateless-rpc').length === 0)
  await eventually(() => results.length > settled)
  expect(await own.resolve('refs/heads/aborted')).toBeNull()
  await eventually(() => readdirSync(join(own.directory, 'objects')).every((name) => !name.startsWith('tmp_objdir')))
  await userGitOk(own.directory, 'fsck', '--strict')
  await userGitOk(clone, 'push', '-q', 'origin', 'HEAD:refs/heads/aborted')
  expect((await fetch(`${url}/info/refs?service=git-upload-pack`)).status).toBe(200)
})

test('kill -9 of the git process in the middle of a push: the push fails, the repository is whole, the next push works', async () => {
  const { own, clone } = await cloned('repo_kill')
  const head = await change(clone, { big: randomBytes(30_000_000) })
  const push = userGit(clone, '-c', 'http.postBuffer=65536', 'push', 'origin', 'HEAD:refs/heads/killed')
  const incoming = () => readdirSync(join(own.directory, 'objects')).filter((name) => name.startsWith('tmp_objdir'))
  await eventually(() => incoming().length > 0)
  // Held where it is, so that the kill comes before its end on any machine.
  const [receiving] = processesOf(fixture.root, 'receive-pack --stateless-rpc')
  process.kill(receiving!, 'SIGSTOP')
  expect(incoming()).not.toEqual([])
  const [child] = processesOf(fixture.root, 'child/main')
  process.kill(child!, 'SIGKILL')
  process.kill(receiving!, 'SIGCONT')
  expect((await push).exitCode).not.toBe(0)
  await eventually(() => !isAlive(child!))
  expect(await own.resolve('refs/heads/killed')).toBeNull()
  await userGitOk(clone, 'push', '-q', 'origin', 'HEAD:refs/heads/killed')
  expect(await own.resolve('refs/heads/killed')).toBe(head)
  await userGitOk(own.directory, 'fsck', '--strict')
  expect(readdirSync(join(own.directory, 'objects')).filter((name) => name.startsWith('tmp_'))).toEqual([])
}, 60_000)

const pkt = (text: string): string => (text.length + 4).toString(16).padStart(4, '0') + text

/** One push request by hand, as no git client would send it. */
async function rawPush(url: string, head: string, headers: { [name: string]: string } = {}, zip = false) {
  const pack = Buffer.concat([Buffer.from('PACK\0\0\0\x02\0\0\0\0', 'latin1')])
  const body = Buffer.concat([Buffer.from(head, 'latin1'), pack, createHash('sha1').update(pack).digest()])
  const answer = await fetch(`${url}/git-receive-pack`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-git-receive-pack-request', ...headers },
    body: zip ? gzipSync(body) : body,
  })
  return { status: answer.status, text: await answer.text() }
}

const line = (text: string): string => (text.length + 4).toString(16).padStart(4, '0') + text
const NONE = '0'.repeat(40)

test('no shape of a request moves a protected branch', async () => {
  const { own, clone, url } = await cloned('repo_shapes')
  const first = (await own.resolve('main'))!
  const second = await change(clone, { second: '2' })
  await userGitOk(clone, 'push', '-q', 'origin', 'HEAD:refs/heads/side')
  const caps = '\0report-status side-band-64k push-options'
  const move = `${first} ${second} refs/heads/main`
  const shapes: [name: string, head: string, headers?: { [name: string]: string }, zip?: boolean][] = [
    ['plain', `${line(move + caps)}00000000`],
    ['with a line feed', `${line(`${move}${caps}\n`)}00000000`],
    ['compressed', `${line(move + caps)}00000000`, { 'content-encoding': 'gzip' }, true],
    ['compressed by an older name', `${line(move + caps)}00000000`, { 'content-encoding': 'x-gzip' }, true],
    ['of an unknown encoding', `${line(move + caps)}00000000`, { 'content-encoding': 'deflate' }],
    ['behind another', `${line(`${first} ${second} refs/heads/side2${caps}`)}${line(move)}00000000`],
    [
      'removed and made anew',
      `${line(`${first} ${NONE} refs/heads/main${caps}`)}${line(`${NONE} ${second} refs/heads/main`)}00000000`,
    ],
    [
      'signed',
      `${line('push-cert\0report-status')}${line('certificate version 0.1\n')}${line(`${move}\n`)}${line('push-cert-end\n')}0000`,
    ],
    ['behind a delimiter', `${line(`${first} ${second} refs/heads/side3${caps}`)}0001${line(move)}0000`],
    [
      'upper case length',
      `${line(move + caps)
        .toUpperCase()
        .slice(0, 4)}${move}${caps}00000000`,
    ],
    ['in other case', `${line(`${NONE} ${second} refs/heads/MAIN${caps}`)}00000000`],
    ['broken off', line(move + caps)],
  ]
  for (const [name, head, headers, zip] of shapes) {
    await rawPush(url, head, headers, zip)
    expect([name, [...(await own.refs('refs/heads/')).entries()]]).toEqual([
      name,
      [
        ['refs/heads/main', first],
        ['refs/heads/side', second],
      ],
    ])
  }
  const wholly = await rawPush(
    url,
    `${line(`${NONE} ${second} refs/heads/whole${caps}`)}00000000`,
    { 'content-encoding': 'gzip' },
    true,
  )
  expect([wholly.status, await own.resolve('refs/heads/whole')]).toEqual([200, second])
})

test('a symbolic reference is no way round to the branch behind it', async () => {
  const { own, clone } = await cloned('repo_symbolic')
  const first = (await own.resolve('main'))!
  await userGitOk(own.directory, 'symbolic-ref', 'refs/heads/alias', 'refs/heads/main')
  await change(clone, { second: '2' })
  const refused = await userGit(clone, 'push', 'origin', 'HEAD:refs/heads/alias')
  expect(refused.stderr).toMatch(/It stands for another branch[^]*remote rejected[^]*symbolic/)
  expect(await own.resolve('main')).toBe(first)
})

test('push options are bounded, and many of them open no way to a protected branch', async () => {
  const { own, clone } = await cloned('repo_bounded')
  const first = (await own.resolve('main'))!
  await change(clone, { second: '2' })
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

test('without hooks, and with hooks alone, a protected branch stays where it is', async () => {
  const { own, clone } = await cloned('repo_hookless')
  const first = (await own.resolve('main'))!
  const second = await change(clone, { second: '2' })
  const hook = join(fixture.root, '.hooks', 'pre-receive')
  const text = await readFile(hook, 'utf8')
  try {
    await chmod(hook, 0o644)
    expect((await userGit(clone, 'push', 'origin', 'HEAD:refs/heads/main')).stderr).toContain('It is protected')
    await rm(hook)
    expect((await userGit(clone, 'push', 'origin', 'HEAD:refs/heads/main')).stderr).toContain('It is protected')
  } finally {
    await writeFile(hook, text, { mode: 0o755 })
  }
  expect(await own.resolve('main')).toBe(first)
  // The hook by itself, with no program on the PATH; what nobody told it about is refused as well.
  const shell = await realpath('/bin/sh')
  const ask = async (update: string, env: { [name: string]: string }) => {
    const child = spawn(shell, [hook], { env, stdio: ['pipe', 'ignore', 'ignore'] })
    // It may have refused before it reads.
    child.stdin.on('error', () => {})
    child.stdin.end(`${update}\n`)
    return await new Promise<number | null>((resolve) => child.once('close', resolve))
  }
  const known = {
    PATH: '/nonexistent',
    TRUEUP_PROTECTED: 'refs/heads/main\nrefs/heads/rel*',
    TRUEUP_DEFAULT: 'refs/heads/main',
  }
  expect(await ask(`${first} ${second} refs/heads/main`, known)).toBe(1)
  expect(await ask(`${NONE} ${second} refs/heads/main`, known)).toBe(1)
  expect(await ask(`${NONE} ${second} refs/heads/main`, { ...known, TRUEUP_BOOTSTRAP: '1' })).toBe(0)
  expect(await ask(`${first} ${second} refs/heads/main`, { ...known, TRUEUP_BOOTSTRAP: '1' })).toBe(1)
  expect(await ask(`${first} ${NONE} refs/heads/main`, { ...known, TRUEUP_PROTECTED: '' })).toBe(1)
  expect(await ask(`${first} ${second} refs/heads/rel`, known)).toBe(0)
  expect(await ask(`${first} ${second} refs/heads/rel*`, known)).toBe(1)
  expect(await ask(`${first} ${second} refs/heads/x`, known)).toBe(0)
  expect(await ask(`${first} ${second} refs/tags/v1`, known)).toBe(0)
  expect(await ask(`${first} ${second} refs/trueup/x`, known)).toBe(1)
  expect(await ask(`${first} ${second} refs/heads/x`, { PATH: '/nonexistent' })).not.toBe(0)
})

test('a connection on which nothing moves is ended, and gives its place back', async () => {
  const { url } = await cloned('repo_idle')
  grant.idleMs = 200
  try {
    const ended = await new Promise<string>((resolve) => {
      const request = httpRequest(`${url}/git-receive-pack`, { method: 'POST' })
      request.once('error', () => resolve('ended'))
      request.once('response', () => resolve('answered'))
      request.write('00')
    })
    expect(ended).toBe('ended')
  } finally {
    grant.idleMs = 120_000
  }
})

test('what has to be done before a push is done before any ref moves; where it fails none does', async () => {
  const { own, clone } = await cloned('repo_before')
  const oid = await change(clone, { a: 'before' })
  const seen: { updates: readonly PushUpdate[]; refs: string[] }[] = []
  const usual = grant.beforePush
  try {
    grant.beforePush = async (updates) => {
      seen.push({ updates, refs: [...(await own.refs()).keys()] })
      throw new Error('the disk is full')
    }
    expect((await userGit(clone, 'push', 'origin', 'HEAD:refs/heads/x')).exitCode).not.toBe(0)
    expect([...(await own.refs()).keys()]).toEqual(['refs/heads/main'])
    grant.beforePush = async (updates) => void seen.push({ updates, refs: [...(await own.refs()).keys()] })
    await userGitOk(clone, 'push', '-q', 'origin', 'HEAD:refs/heads/x')
    expect(seen).toHaveLength(2)
    for (const { updates, refs } of seen) {
      expect(updates).toMatchObject([{ ref: 'refs/heads/x', newOid: oid }])
      expect(refs).toEqual(['refs/heads/main'])
    }
    // What is refused anyway asks for nothing.
    await userGit(clone, 'push', 'origin', 'HEAD:refs/heads/main')
    expect(seen).toHaveLength(2)
  } finally {
    grant.beforePush = usual
  }
})
