import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmod, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { NO_OID } from '../git/repository.ts'
import { userGit, userGitOk } from '../git/testing/fixture.ts'
import { commitAll, pktLine, useGitServer, usualGrant } from './testing/git-server.ts'

const { fixture, grant, results, cloned, lastPush } = useGitServer()

test('the first push of the default branch makes the repository, and only that one passes', async () => {
  const { own, clone } = await cloned('repo_bootstrap')
  const first = (await userGitOk(clone, 'rev-parse', 'HEAD')).trim()
  expect(await own.resolve('main')).toBe(first)
  expect(await lastPush()).toEqual({
    repositoryId: 'repo_bootstrap',
    userId: 'usr_ada',
    updates: [{ ref: 'refs/heads/main', oldOid: NO_OID, newOid: first }],
    options: [],
  })
  await commitAll(clone, { second: '2' })
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

test('without bootstrap even the first push is refused', async () => {
  grant.allowBootstrap = false
  await expect(cloned('repo_closed')).rejects.toThrow(/It is protected/)
  expect(await fixture.service.repository('repo_closed').refs()).toEqual(new Map())
})

test('names that belong to Trueup, unsafe names and the default branch are guarded', async () => {
  const { own, clone } = await cloned('repo_guard')
  grant.protectedRefs = []
  const say = async (...refspec: string[]) => (await userGit(clone, 'push', 'origin', ...refspec)).stderr
  expect(await say('HEAD:refs/trueup/x')).toContain('Trueup writes refs/trueup/ and refs/merge-requests/ itself')
  expect(await say('HEAD:refs/merge-requests/1/head')).toContain('Trueup writes refs/trueup/')
  expect(await say('HEAD:refs/changes/1')).toContain('Only branches (refs/heads/), tags and notes can be pushed')
  expect(await say('HEAD:refs/heads/refs/heads/main')).toContain('A name like this is easily taken for something else')
  expect(await say(':refs/heads/main')).toMatch(/'main' was not deleted[^]*default branch[^]*Next: leave it/)
  expect([...(await own.refs()).keys()]).toEqual(['refs/heads/main'])
  await commitAll(clone, { open: '1' })
  await userGitOk(clone, 'push', '-q', 'origin', 'main')
  await userGitOk(clone, 'tag', 'v1')
  await userGitOk(clone, 'push', '-q', 'origin', 'v1')
  await userGit(clone, 'push', 'origin', 'HEAD:refs/heads/ok', 'HEAD:refs/trueup/x')
  expect(await own.resolve('refs/heads/ok')).toBeNull()
  grant.protectedRefs = usualGrant().protectedRefs
  expect((await userGit(clone, 'push', 'origin', 'HEAD:refs/heads/release/1')).stderr).toContain(
    "'release/1' was not pushed",
  )
  await userGitOk(clone, 'push', '-q', 'origin', 'HEAD:refs/heads/release/10')
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

test('no shape of a request moves a protected branch', async () => {
  const { own, clone, url } = await cloned('repo_shapes')
  const first = (await own.resolve('main'))!
  const second = await commitAll(clone, { second: '2' })
  await userGitOk(clone, 'push', '-q', 'origin', 'HEAD:refs/heads/side')
  const caps = '\0report-status side-band-64k push-options'
  const move = `${first} ${second} refs/heads/main`
  const shapes: [name: string, head: string, headers?: { [name: string]: string }, zip?: boolean][] = [
    ['plain', `${pktLine(move + caps)}00000000`],
    ['with a line feed', `${pktLine(`${move}${caps}\n`)}00000000`],
    ['compressed', `${pktLine(move + caps)}00000000`, { 'content-encoding': 'gzip' }, true],
    ['compressed by an older name', `${pktLine(move + caps)}00000000`, { 'content-encoding': 'x-gzip' }, true],
    ['of an unknown encoding', `${pktLine(move + caps)}00000000`, { 'content-encoding': 'deflate' }],
    ['behind another', `${pktLine(`${first} ${second} refs/heads/side2${caps}`)}${pktLine(move)}00000000`],
    [
      'removed and made anew',
      `${pktLine(`${first} ${NO_OID} refs/heads/main${caps}`)}${pktLine(`${NO_OID} ${second} refs/heads/main`)}00000000`,
    ],
    [
      'signed',
      `${pktLine('push-cert\0report-status')}${pktLine('certificate version 0.1\n')}${pktLine(`${move}\n`)}${pktLine('push-cert-end\n')}0000`,
    ],
    ['behind a delimiter', `${pktLine(`${first} ${second} refs/heads/side3${caps}`)}0001${pktLine(move)}0000`],
    [
      'upper case length',
      `${pktLine(move + caps)
        .toUpperCase()
        .slice(0, 4)}${move}${caps}00000000`,
    ],
    ['in other case', `${pktLine(`${NO_OID} ${second} refs/heads/MAIN${caps}`)}00000000`],
    ['broken off', pktLine(move + caps)],
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
    `${pktLine(`${NO_OID} ${second} refs/heads/whole${caps}`)}00000000`,
    { 'content-encoding': 'gzip' },
    true,
  )
  expect([wholly.status, await own.resolve('refs/heads/whole')]).toEqual([200, second])
})

test('a symbolic reference is no way round to the branch behind it', async () => {
  const { own, clone } = await cloned('repo_symbolic')
  const first = (await own.resolve('main'))!
  await userGitOk(own.directory, 'symbolic-ref', 'refs/heads/alias', 'refs/heads/main')
  await commitAll(clone, { second: '2' })
  const refused = await userGit(clone, 'push', 'origin', 'HEAD:refs/heads/alias')
  expect(refused.stderr).toMatch(/It stands for another branch[^]*remote rejected[^]*symbolic/)
  expect(await own.resolve('main')).toBe(first)
})

test('without hooks, and with hooks alone, a protected branch stays where it is', async () => {
  const { own, clone } = await cloned('repo_hookless')
  const first = (await own.resolve('main'))!
  const second = await commitAll(clone, { second: '2' })
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
  expect(await ask(`${NO_OID} ${second} refs/heads/main`, known)).toBe(1)
  expect(await ask(`${NO_OID} ${second} refs/heads/main`, { ...known, TRUEUP_BOOTSTRAP: '1' })).toBe(0)
  expect(await ask(`${first} ${second} refs/heads/main`, { ...known, TRUEUP_BOOTSTRAP: '1' })).toBe(1)
  expect(await ask(`${first} ${NO_OID} refs/heads/main`, { ...known, TRUEUP_PROTECTED: '' })).toBe(1)
  expect(await ask(`${first} ${second} refs/heads/rel`, known)).toBe(0)
  expect(await ask(`${first} ${second} refs/heads/rel*`, known)).toBe(1)
  expect(await ask(`${first} ${second} refs/heads/x`, known)).toBe(0)
  expect(await ask(`${first} ${second} refs/tags/v1`, known)).toBe(0)
  expect(await ask(`${first} ${second} refs/trueup/x`, known)).toBe(1)
  expect(await ask(`${first} ${second} refs/heads/x`, { PATH: '/nonexistent' })).not.toBe(0)
})
