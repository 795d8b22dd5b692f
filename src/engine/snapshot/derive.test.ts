import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { EMPTY_TREE, type GitRepository, type GitService } from '../../git/repository.ts'
import { startGitService } from '../../git/service.ts'
import { buildSnapshot, deriveSnapshot } from './build.ts'
import type { Snapshot } from './snapshot.ts'

const command = { driver: 'command', with: { plan: 'true', apply: 'true' } }
const CONFIGS = [
  { stacks: [{ path: 'apps/*', ...command }] },
  {
    stacks: [
      { path: 'apps/one', ...command, watch: ['shared/**'] },
      { path: 'tf', driver: 'terraform' },
    ],
  },
  {
    stacks: [
      { path: 'apps/*', ...command, watch: ['shared/deep/x.txt'] },
      { path: 'tf', driver: 'terraform' },
    ],
  },
  { stacks: [{ path: 'apps/one', ...command, verify: ['true'] }] },
  {
    stacks: [
      { path: 'apps/**', ...command },
      { path: '.', name: 'root', ...command },
    ],
  },
].map((config) => JSON.stringify({ version: 1, environments: { lab: {} }, ...config }))

const module = (source: string) => `module "m" { source = "${source}" }\n`
const PATHS: { [path: string]: string[] } = {
  'trueup.yaml': [...CONFIGS, 'version: 1\nnonsense: true\n'],
  'apps/one/a': ['1', '2'],
  'apps/one/deep/b': ['1', '2'],
  'apps/two/a': ['1', '2'],
  'apps/two': ['a file now'],
  'shared/deep/x.txt': ['1', '2'],
  'shared/y': ['1', '2'],
  'tf/main.tf': [module('../modules/net'), module('../modules/other'), 'locals {}\n', 'this is { no HCL'],
  'modules/net/main.tf': ['locals {}\n', module('./inner'), module('../other')],
  'modules/net/inner/main.tf': ['locals {}\n', 'locals { a = 1 }\n'],
  'modules/other/main.tf': ['locals {}\n', 'locals { b = 1 }\n'],
  CODEOWNERS: ['* @a\n', '* @b\n'],
  'README.md': ['1', '2'],
}
const DIRECTORIES = ['apps', 'apps/one', 'apps/one/deep', 'shared', 'shared/deep', 'modules', 'modules/net', 'tf']

interface Edit {
  path: string
  content: string | null
}
const edit: fc.Arbitrary<Edit> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc
      .constantFrom(...Object.keys(PATHS))
      .chain((path) => fc.constantFrom(...PATHS[path]!, null).map((content) => ({ path, content }))),
  },
  { weight: 1, arbitrary: fc.constantFrom(...DIRECTORIES).map((path) => ({ path, content: null })) },
)

describe('a snapshot that is derived from an earlier one', () => {
  let root: string
  let service: GitService
  let git: GitRepository
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'trueup-snapshot-'))
    service = await startGitService({ root })
    git = service.repository('repo_snapshot')
    await git.init('main')
  })
  afterAll(async () => {
    await service.close()
    await rm(root, { recursive: true, force: true })
  })

  const commit = async (parent: string | null, edits: readonly Edit[]): Promise<string> => {
    // A path cannot be a file and a directory at once: the later edit wins.
    const files = new Map<string, string | null>()
    for (const { path, content } of edits) {
      for (const known of files.keys())
        if (known.startsWith(`${path}/`) || path.startsWith(`${known}/`)) files.delete(known)
      files.set(path, content)
    }
    const author = { name: 'a', email: 'a@example.test', at: 0 }
    return await git.commitFiles({
      parent,
      message: 'x',
      author,
      files: [...files].map(([path, content]) => ({ path, content: content === null ? null : Buffer.from(content) })),
    })
  }
  const comparable = ({ index: _functions, view: _reader, stacks, ...rest }: Snapshot) => ({
    ...rest,
    stacks: [...stacks],
  })

  it('equals one that is built from nothing, whatever was edited', async () => {
    const runs = fc.asyncProperty(
      fc.constantFrom(...CONFIGS),
      fc.array(fc.array(edit, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 6 }),
      async (config, steps) => {
        const whole = Object.entries(PATHS).filter(([path]) => path !== 'apps/two')
        const start = whole.map(([path, [content]]) => ({ path, content: path === 'trueup.yaml' ? config : content! }))
        let parent = await commit(null, start)
        let snapshot = await buildSnapshot(git, (await git.commit(parent)).tree)
        for (const edits of steps) {
          parent = await commit(parent, edits)
          const { tree } = await git.commit(parent)
          snapshot = await deriveSnapshot(git, snapshot, tree)
          expect(comparable(snapshot)).toEqual(comparable(await buildSnapshot(git, tree)))
        }
      },
    )
    await fc.assert(runs, { numRuns: 60 })
  })

  it('of an empty tree has nothing and no problem', async () => {
    expect(comparable(await buildSnapshot(git, EMPTY_TREE))).toMatchObject({ config: null, stacks: [], problems: [] })
  })

  it('shares the stacks that the change does not concern', async () => {
    const first = await commit(null, [
      { path: 'trueup.yaml', content: CONFIGS[0]! },
      { path: 'apps/one/a', content: '1' },
      { path: 'apps/two/a', content: '1' },
    ])
    const second = await commit(first, [{ path: 'apps/one/a', content: '2' }])
    const before = await buildSnapshot(git, (await git.commit(first)).tree)
    const after = await deriveSnapshot(git, before, (await git.commit(second)).tree)
    expect(after.stacks.get('lab/apps/two')).toBe(before.stacks.get('lab/apps/two'))
    expect(after.stacks.get('lab/apps/one')).not.toBe(before.stacks.get('lab/apps/one'))
  })

  it('does not take a fault of Git for a fact about the tree', async () => {
    const missing = buildSnapshot(git, 'f'.repeat(40))
    await expect(missing).rejects.toMatchObject({ code: 'GIT_OBJECT_MISSING' })
  })
})
