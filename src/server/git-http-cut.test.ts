import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { eventually, isAlive, processesOf, userGit, userGitOk } from '../git/testing/fixture.ts'
import { commitAll, useGitServer } from './testing/git-server.ts'

const { fixture, results, cloned } = useGitServer()

test('when the client goes away git is ended and the repository stays as it was', async () => {
  const { own, clone, url } = await cloned('repo_abort')
  const receiving = () => processesOf(fixture.root, 'receive-pack --stateless-rpc').length > 0
  /** Null where the push was over before anybody saw it. */
  const begin = async (): Promise<ChildProcess | null> => {
    await commitAll(clone, { big: randomBytes(20_000_000) })
    const begun = spawn('git', ['-c', 'http.postBuffer=65536', 'push', '-f', 'origin', 'HEAD:refs/heads/first'], {
      cwd: clone,
      stdio: 'ignore',
      detached: true,
    })
    await eventually(() => receiving() || begun.exitCode !== null)
    return begun.exitCode === null ? begun : null
  }
  let push = await begin()
  while (push === null) push = await begin()
  const before = await own.resolve('refs/heads/first')
  const settled = results.length
  process.kill(-push.pid!, 'SIGKILL')
  await eventually(() => !receiving())
  await eventually(() => results.length > settled)
  expect(await own.resolve('refs/heads/first')).toBe(before)
  await eventually(() => readdirSync(join(own.directory, 'objects')).every((name) => !name.startsWith('tmp_objdir')))
  await userGitOk(own.directory, 'fsck', '--strict')
  await userGitOk(clone, 'push', '-q', 'origin', 'HEAD:refs/heads/aborted')
  expect((await fetch(`${url}/info/refs?service=git-upload-pack`)).status).toBe(200)
})

test('kill -9 of the git process in the middle of a push: the push fails, the repository is whole, the next push works', async () => {
  const { own, clone } = await cloned('repo_kill')
  const head = await commitAll(clone, { big: randomBytes(30_000_000) })
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
})
