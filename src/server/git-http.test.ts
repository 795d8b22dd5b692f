import { mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { request as httpRequest } from 'node:http'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import type { PushUpdate } from '../git/push-request.ts'
import { NO_OID } from '../git/repository.ts'
import { userGit, userGitOk } from '../git/testing/fixture.ts'
import { commitAll, pktLine, useGitServer } from './testing/git-server.ts'

const { fixture, grant, cloned, lastPush, url } = useGitServer()

test('clone, branch, force-push, fetch, delete', async () => {
  const { own, clone, url } = await cloned('repo_flow')
  const first = await commitAll(clone, { 'a/b': '1' })
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
  expect((await lastPush())?.updates[0]?.newOid).toBe(NO_OID)
  expect(await own.resolve('refs/heads/feature/x')).toBeNull()
  await userGitOk(other, 'fetch', '-q', '--prune')
  expect((await userGitOk(other, 'branch', '-r')).includes('feature/x')).toBe(false)
  const shallow = await mkdtemp(join(fixture.directory, 'shallow-'))
  await userGitOk(shallow, 'clone', '-q', '--depth', '1', '--filter=blob:none', '--no-checkout', url, '.')
})

test('refs of Trueup are not shown, those of merge requests are', async () => {
  const { own, clone } = await cloned('repo_hidden')
  const head = (await own.resolve('main'))!
  await own.updateRef('refs/trueup/keep', head, NO_OID)
  await own.updateRef('refs/merge-requests/1/head', head, NO_OID)
  const refs = await userGitOk(clone, 'ls-remote', 'origin')
  expect(refs).not.toContain('refs/trueup')
  expect(refs).toContain('refs/merge-requests/1/head')
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

test('compressed requests are understood', async () => {
  const { url, own } = await cloned('repo_gzip')
  const head = await own.resolve('main')
  const body = gzipSync(Buffer.from(`${pktLine('command=ls-refs\n')}0001${pktLine('peel\n')}0000`))
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
  expect((await fetch(`${url('repo_test')}${path}`)).status).toBe(403)
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
    timeoutMs: 180_000,
  })
  expect(await ask('')).toBe(403)
  expect(await ask(ticket)).toBe(200)
  expect(await ask(ticket)).toBe(403)
})

test('what has to be done before a push is done before any ref moves; where it fails none does', async () => {
  const { own, clone } = await cloned('repo_before')
  const oid = await commitAll(clone, { a: 'before' })
  const seen: { updates: readonly PushUpdate[]; refs: string[] }[] = []
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
})
