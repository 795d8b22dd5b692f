import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { GitChild } from './child-process.ts'
import { createGitCommand } from './git-command.ts'
import { createPacking } from './packing.ts'
import type { GitRunOptions } from './repository.ts'
import { type GitFixture, startGitFixture } from './testing/fixture.ts'

let fixture: GitFixture
beforeAll(async () => {
  fixture = await startGitFixture()
})
afterAll(() => fixture.close())

/** Does not get smaller by being packed. */
const LARGE = Array.from({ length: 4_000 }, (_, at) => Math.sin(at).toString(36)).join('\n')
const emptyRepository = async (id: string) => {
  const repository = fixture.service.repository(id)
  await repository.init('main')
  return repository
}

test('a pack beside what is held has only what has changed, as differences; alone it is of no use', async () => {
  const { repository, commit, directory } = fixture
  const one = await commit('thin', { 'web/large': LARGE, 'web/same': LARGE.slice(9), 'other/file': 'one' })
  const two = await commit('thin', { 'web/large': `${LARGE}\nmore`, 'web/-odd name': 'new', 'other/file': 'two' })
  const paths = ['web']
  const packed = async (oid: string, base?: string): Promise<Buffer> => {
    const file = join(directory, `${oid}-${base}.pack`)
    await repository.packTree(oid, paths, file, base === undefined ? {} : { base: { commit: base, paths } })
    return await readFile(file)
  }
  const [all, difference] = [await packed(one), await packed(two, one)]
  expect(difference.length).toBeLessThan(all.length / 20)

  const agent = await emptyRepository('repo_agent')
  await agent.receivePack(all)
  await agent.receivePack(difference)
  expect((await agent.readFile(two, 'web/large'))?.toString()).toBe(`${LARGE}\nmore`)
  expect((await agent.readFile(two, 'web/same'))?.toString()).toBe(LARGE.slice(9))
  expect((await agent.readFile(two, 'web/-odd name'))?.toString()).toBe('new')

  const other = await emptyRepository('repo_other')
  await expect(other.receivePack(difference)).rejects.toMatchObject({ code: 'PACK_INVALID' })
  // Nothing changed below the paths: the commit and its root tree are all that is sent.
  const three = await commit('thin', { 'other/file': 'three' })
  await agent.receivePack(await packed(three, two))
  expect((await agent.readFile(three, 'web/large'))?.toString()).toBe(`${LARGE}\nmore`)
})

test('a difference that would be too large to hold is the whole pack', async () => {
  const { service, commit, directory } = fixture
  const one = await commit('large', { 'web/large': LARGE, 'web/same': 'same' })
  const two = await commit('large', { 'web/large': LARGE.toUpperCase() })
  const call = async (_: 'run', { argv, options }: { argv: string[]; options: GitRunOptions }) =>
    await service.run(argv, options)
  const git = createGitCommand({ call } as unknown as GitChild, 'repo_test')
  const paths = ['web']
  const file = join(directory, 'too-large.pack')
  await createPacking(git, directory, 1_000).packTree(two, paths, file, { base: { commit: one, paths } })
  const agent = await emptyRepository('repo_alone')
  await agent.receivePack(await readFile(file))
  expect((await agent.readFile(two, 'web/large'))?.toString()).toBe(LARGE.toUpperCase())
  expect((await agent.readFile(two, 'web/same'))?.toString()).toBe('same')
})
