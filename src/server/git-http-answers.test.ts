import { expect, test } from 'vitest'
import { userGit, userGitOk } from '../git/testing/fixture.ts'
import { commitAll, useGitServer } from './testing/git-server.ts'

const { grant, cloned, lastPush } = useGitServer()

test('the pusher hears of the merge request that a push updates, and is not told to open another', async () => {
  const { clone } = await cloned('repo_hints')
  await userGitOk(clone, 'branch', 'other')
  await commitAll(clone, { a: '1' })
  grant.openMergeRequests = [
    { branch: 'x', number: 12 },
    { branch: 'feature/x', number: 3 },
  ]
  const updated = await userGit(clone, 'push', 'origin', 'HEAD:refs/heads/feature/x', 'other')
  expect(updated.stderr).toContain('remote: Trueup: !3 is updated: trueup mr show 3')
  expect(updated.stderr).toContain('to open a merge request for other:')
  expect(updated.stderr).not.toContain('to open a merge request for feature/x')
  await commitAll(clone, { a: '2' })
  const again = await userGit(clone, 'push', 'origin', 'HEAD:refs/heads/other')
  expect([again.exitCode, again.stderr]).toEqual([0, expect.not.stringContaining('Trueup')])
})

test('push options arrive, and cannot forge a line of the record', async () => {
  const { clone } = await cloned('repo_options')
  await commitAll(clone, { a: '1' })
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
  await commitAll(clone, { a: '1' })
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
