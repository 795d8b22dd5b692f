import { spawnSync } from 'node:child_process'
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { FilesConfig } from '../config.ts'
import { filesDriver } from '../index.ts'
import { deploy, type FilesTest, filesTest, lines, tree } from '../testing/stack.ts'

let context: FilesTest
afterEach(() => context.remove())

async function addExtras(): Promise<void> {
  await mkdir(join(context.target, 'extra/deep'), { recursive: true })
  await writeFile(join(context.target, 'extra/deep/file'), 'x')
  await mkdir(join(context.target, 'keep'))
  await writeFile(join(context.target, 'keep/file.local'), 'x')
  await writeFile(join(context.target, 'keep/other'), 'x')
}

test('prune none keeps what Git does not have, even what left Git', async () => {
  context = await filesTest({ files: { 'stack/a': 'a\n', 'stack/b': 'b\n' } })
  await addExtras()
  await deploy(context)
  await context.write({ 'stack/b': null })
  expect((await filesDriver.plan(await context.next())).changes).toEqual([])
})

test('prune all removes the rest, but not what is excluded nor the directory that holds it', async () => {
  context = await filesTest({ files: { 'stack/a': 'a\n' }, config: { prune: 'all', exclude: ['**/*.local'] } })
  await addExtras()
  const { plan, result } = await deploy(context)
  expect(lines(plan, context.target)).toEqual([
    'create /a content,mode',
    'delete /extra',
    'delete /extra/deep',
    'delete /extra/deep/file content',
    'delete /keep/other content',
  ])
  expect(result.status).toBe('applied')
  expect(await tree(context.target)).toEqual({ a: '644 a\n', keep: 'dir', 'keep/file.local': '644 x' })
})

test('prune all leaves the target of another stack alone', async () => {
  context = await filesTest({ files: { 'stack/a': 'a\n', 'other/b': 'b\n' }, config: { prune: 'all' } })
  const inner = await context.next({
    stack: { ...context.stack, name: 'other', path: 'other' },
    directory: join(context.workspace, 'other'),
    config: { ...context.config, target: join(context.target, 'inner') },
  })
  await deploy(inner)
  const { plan } = await deploy(await context.next())
  expect(lines(plan, context.target)).toEqual(['create /a content,mode'])
  expect(plan.coverage.unchecked).toEqual([
    { address: join(context.target, 'inner'), why: 'it is the target of another stack' },
  ])
  expect(existsSync(join(context.target, 'inner/b'))).toBe(true)
})

test('prune listed removes only what this stack placed, and survives the loss of the cache', async () => {
  context = await filesTest({
    files: { 'stack/a': 'a\n', 'stack/d/b': 'b\n', 'stack/had': 'h\n' },
    config: { prune: 'listed' },
  })
  await addExtras()
  await writeFile(join(context.target, 'had'), 'h\n')
  await deploy(context)
  await context.write({ 'stack/d/b': null, 'stack/had': null })
  await rm(context.cache, { recursive: true })
  const { plan } = await deploy(await context.next())
  // `had` was there with the right content before: it was never placed.
  expect(lines(plan, context.target)).toEqual(['delete /d', 'delete /d/b content'])
  expect(await tree(context.target)).toMatchObject({ a: '644 a\n', had: '644 h\n', 'extra/deep/file': '644 x' })
  expect((await filesDriver.plan(await context.next())).changes).toEqual([])
})

test('destroying removes what was placed, keeps the rest, and a second time finds nothing', async () => {
  context = await filesTest({ missingTarget: true, files: { 'stack/a': 'a\n', 'stack/d/b': 'b\n' } })
  await deploy(context)
  await writeFile(join(context.target, 'd/theirs'), 'x')
  const destroy = await context.next({ destroy: true })
  const { plan, result } = await deploy(destroy)
  expect(lines(plan, context.target)).toEqual(['delete /a content', 'delete /d/b content'])
  expect(result.status).toBe('applied')
  expect(await tree(context.target)).toEqual({ d: 'dir', 'd/theirs': '644 x' })
  expect(await readdir(context.target)).toEqual(['d'])
  expect((await filesDriver.plan(await context.next({ destroy: true }))).changes).toEqual([])
})

test('destroying takes directories and the target along when the stack made them and nothing else is there', async () => {
  context = await filesTest({ missingTarget: true, files: { 'stack/d/e/b': 'b\n' } })
  await deploy(context)
  const { result } = await deploy(await context.next({ destroy: true }))
  expect(result).toMatchObject({ status: 'applied' })
  expect(existsSync(context.target)).toBe(false)
})

test('an empty source prunes nothing', async () => {
  context = await filesTest({ files: { 'stack/a': 'a\n' }, config: { prune: 'all' } })
  await deploy(context)
  await context.write({ 'stack/a': null })
  await expect(filesDriver.plan(await context.next())).rejects.toMatchObject({ code: 'SOURCE_INVALID' })
})

test('system directories cannot be pruned whole', () => {
  for (const target of ['/', '/etc', '/etc/', '/var//lib'])
    expect(FilesConfig.safeParse({ target, prune: 'all' }).success).toBe(false)
  expect(FilesConfig.safeParse({ target: '/etc/nginx', prune: 'all' }).success).toBe(true)
})

test('a list of placed files that names paths outside is not believed', async () => {
  context = await filesTest({ files: { 'stack/a': 'a\n' }, config: { prune: 'listed' } })
  await deploy(context)
  const [inventory = ''] = (await readdir(context.target)).filter((name) => name.endsWith('.json'))
  const bad = { version: 1, stack: 's', files: ['../../etc/passwd'], directories: [], reload: [] }
  await writeFile(join(context.target, inventory), JSON.stringify(bad))
  await expect(filesDriver.plan(await context.next())).rejects.toMatchObject({ code: 'TARGET_UNSAFE' })
})

test.skipIf(process.getuid?.() !== 0 || spawnSync('mount', ['--version']).status !== 0)(
  'root, mount: prune all leaves what is mounted below the target, also of the same file system',
  async (test) => {
    context = await filesTest({ files: { 'stack/a': '1' }, config: { prune: 'all' } })
    const [elsewhere, place] = [join(context.root, 'elsewhere'), join(context.target, 'data of others')]
    for (const directory of [elsewhere, place]) await mkdir(directory)
    await writeFile(join(elsewhere, 'precious'), 'x')
    await writeFile(join(context.target, 'file'), 'y')
    if (spawnSync('mount', ['--bind', elsewhere, place]).status !== 0) return test.skip('no right to mount')
    spawnSync('mount', ['--bind', join(elsewhere, 'precious'), join(context.target, 'file')])
    try {
      const { plan } = await deploy(context)
      expect(lines(plan, context.target)).toEqual(['create /a content,mode'])
      expect(plan.coverage.unchecked.map(({ why }) => why)).toEqual([
        'something is mounted here',
        'something is mounted here',
      ])
      expect(await readFile(join(elsewhere, 'precious'), 'utf8')).toBe('x')
    } finally {
      for (const mounted of [place, join(context.target, 'file')]) spawnSync('umount', [mounted])
    }
  },
)
