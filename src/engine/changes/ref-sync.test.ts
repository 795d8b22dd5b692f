import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { newPushFile } from '../../git/push-file.ts'
import { NO_OID } from '../../git/repository.ts'
import { listMergeRequests } from '../../store/changes/merge-requests.ts'
import { afterPush } from './ref-sync.ts'
import { configOf, runsOf } from '../testing/flows.ts'
import { useWorld } from '../testing/use-world.ts'

describe('a push', () => {
  const { harness, world } = useWorld({ files: { 'trueup.yaml': configOf({ a: {} }), 'a/value': '1' } })

  /** Commits to a branch and leaves the notice of `post-receive`, without telling the engine. */
  const pushQuietly = async (branch: string, options: string[]): Promise<string> => {
    const main = await harness.git.resolve('refs/heads/main')
    const newOid = await harness.git.commitFiles({
      parent: main,
      message: 'Widen it\n\nBecause it is narrow.\n',
      author: { name: 'author', email: 'author@example.test', at: harness.clock.now() },
      files: [{ path: 'a/value', content: Buffer.from('2') }],
    })
    await harness.git.updateRef(`refs/heads/${branch}`, newOid, NO_OID)
    const spool = join(harness.directory, 'pushes')
    await mkdir(spool, { recursive: true })
    const file = newPushFile(spool)
    const lines = [
      'trueup-push 1',
      `repository ${harness.repositoryId}`,
      `user ${harness.users.author.id}`,
      ...options.map((option) => `option ${option}`),
      `update ${NO_OID} ${newOid} refs/heads/${branch}`,
      'end',
      '',
    ]
    await writeFile(file, lines.join('\n'))
    return file
  }
  const pushOf = (pushFile: string) => ({
    repositoryId: harness.repositoryId,
    userId: harness.users.author.id,
    pushFile,
    pushed: true,
  })
  const mergeRequests = async () =>
    (await listMergeRequests(harness.store.db, { repositoryId: harness.repositoryId })).items

  it('opens no merge request by itself', async () => {
    const file = await pushQuietly('two', [])
    await afterPush(harness.engine.parts, pushOf(file))
    expect(await mergeRequests()).toEqual([])
  })

  it('opens one by its options, titled by the commit where they name none', async () => {
    const first = await pushQuietly('two', ['mr'])
    await afterPush(harness.engine.parts, pushOf(first))
    const second = await pushQuietly('three', ['mr.title=Another', 'mr.draft'])
    await afterPush(harness.engine.parts, pushOf(second))
    expect(await mergeRequests()).toMatchObject([
      { title: 'Another', draft: true, sourceBranch: 'three', targetBranch: 'main' },
      { title: 'Widen it', description: 'Because it is narrow.', draft: false, authorId: harness.users.author.id },
    ])
  })

  it('that a killed server did not hear of is found at the next start, with its options', async () => {
    await pushQuietly('two', ['mr'])
    await harness.restart()
    await world.work()
    expect(await mergeRequests()).toMatchObject([{ title: 'Widen it', state: 'open' }])
    expect(await runsOf(harness, { kind: 'preview' })).toMatchObject([{ state: 'succeeded' }])
    await harness.restart()
    expect(await mergeRequests()).toHaveLength(1)
  })
})
