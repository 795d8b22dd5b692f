import { afterAll, beforeAll, expect, test } from 'vitest'
import { startGitFixture, type GitFixture } from './testing/fixture.ts'
import { EMPTY_TREE, type TreeChange } from './repository.ts'

let fixture: GitFixture
beforeAll(async () => {
  fixture = await startGitFixture()
})
afterAll(() => fixture.close())

const treeOf = async (commit: string): Promise<string> => (await fixture.repository.commit(commit)).tree
const between = async (before: string, after: string): Promise<TreeChange[]> =>
  (await fixture.repository.treeChanges(await treeOf(before), await treeOf(after))) ?? []
const brief = (changes: readonly TreeChange[]): string[] =>
  changes.map(({ path, old, new: now }) => `${path} ${old?.type ?? '-'} ${now?.type ?? '-'}`).sort()

test('tells files and directories that differ, with their objects on both sides', async () => {
  const { commit } = fixture
  const first = await commit('changes', {
    'a/b/one': '1',
    'a/b/two': '2',
    'a/c': '3',
    same: 'x',
    gone: 'x',
    turns: 'x',
  })
  const files = { 'a/b/one': '1!', 'new/deep/file': 'n', gone: null, turns: null, 'turns/into': 'a directory' }
  const second = await commit('changes', files)
  const changes = await between(first, second)
  expect(brief(changes)).toEqual([
    'a tree tree',
    'a/b tree tree',
    'a/b/one blob blob',
    'gone blob -',
    'new - tree',
    'new/deep - tree',
    'new/deep/file - blob',
    'turns - tree',
    'turns blob -',
    'turns/into - blob',
  ])
  const one = changes.find((change) => change.path === 'a/b/one')!
  const at = await fixture.repository.pathOids(second, ['a/b/one'])
  expect(one.new).toEqual(at.get('a/b/one'))
  expect(one.old?.oid).toBe((await fixture.repository.pathOids(first, ['a/b/one'])).get('a/b/one')?.oid)
  expect(brief(await between(second, first))).toHaveLength(changes.length)
  expect(await between(first, first)).toEqual([])
})

test('tells a change of mode, and names of any bytes', async () => {
  const { repository } = fixture
  const first = await fixture.commit('names', { plain: '' })
  const plain = (await repository.pathOids(first, ['plain'])).get('plain')!
  const parent = { parent: first, message: 'x', author: { name: 'a', email: 'a@example.test', at: 0 } }
  const names = ['line\nfeed', 'quo"te\\', 'ümlaut', 'tab\tand space', '\ufffdFF\ufffdFE']
  const second = await repository.commitFiles({
    ...parent,
    files: names.map((path) => ({ path, content: Buffer.from('x') })),
    trees: [{ path: 'plain', oid: plain.oid, mode: '100755' }],
  })
  const changes = await between(first, second)
  expect(changes.map((change) => change.path).sort()).toEqual([...names, 'plain'].sort())
  const moded = changes.find((change) => change.path === 'plain')
  expect([moded?.old?.mode, moded?.new?.mode]).toEqual(['100644', '100755'])
})

test('many at once are each answered with their own', async () => {
  const { commit, repository } = fixture
  const trees: string[] = []
  for (let step = 0; step < 10; step++) trees.push(await treeOf(await commit('many', { [`f${step}`]: 'x' })))
  const pairs = trees.flatMap((before, from) => trees.map((after, to) => ({ before, after, from, to })))
  const answers = await Promise.all(pairs.map(({ before, after }) => repository.treeChanges(before, after)))
  for (const [index, { from, to }] of pairs.entries()) expect(answers[index]).toHaveLength(Math.abs(from - to))
})

test('of too many changes it says that they are too many, and goes on', async () => {
  const { commit, repository } = fixture
  const before = await treeOf(await commit('few', { a: '1' }))
  const long = 'x'.repeat(200)
  const files = Object.fromEntries(Array.from({ length: 40_000 }, (_, at) => [`${at % 200}/${long}${at}`, '']))
  const after = await treeOf(await commit('few', files))
  expect(await repository.treeChanges(before, after)).toBeNull()
  expect(await repository.treeChanges(before, EMPTY_TREE)).toHaveLength(1)
})

test('an unknown tree is said to be missing, and the next question is answered', async () => {
  const { commit, repository } = fixture
  const tree = await treeOf(await commit('missing', { a: '1' }))
  const unknown = '1'.repeat(40)
  for (const [before, after] of [
    [tree, unknown],
    [unknown, tree],
  ] as const)
    await expect(repository.treeChanges(before, after)).rejects.toMatchObject({ code: 'GIT_OBJECT_MISSING' })
  expect(await repository.treeChanges(EMPTY_TREE, tree)).toHaveLength(1)
  await expect(repository.treeChanges('HEAD', tree)).rejects.toMatchObject({ code: 'INVALID_REQUEST' })
})
