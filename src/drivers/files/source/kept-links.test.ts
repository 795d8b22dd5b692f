import { mkdir, readdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { filesDriver } from '../index.ts'
import { deploy, type FilesTest, filesTest, lines, tree } from '../testing/stack.ts'

let context: FilesTest
afterEach(() => context.remove())

test('links that lead out of the repository are placed as they are, and those of other stacks left out', async () => {
  const keptLinks = new Map([
    ['stack/enabled/tz', '/usr/share/zoneinfo/UTC'],
    ['stack/..up', 'nowhere/../../../x'],
    ['stack/skipped', '/etc'],
    ['elsewhere/l', '/etc'],
  ])
  context = await filesTest({
    files: { 'stack/enabled/a': 'x\n' },
    config: { links: 'keep', exclude: ['skipped'], prune: 'listed', check: 'test -L {tree}/enabled/tz' },
  })
  context.keptLinks = keptLinks
  const { plan, result } = await deploy(context)
  expect(lines(plan, context.target)).toContain('create /enabled/tz target')
  expect(result.status).toBe('applied')
  expect(await tree(context.target)).toEqual({
    '..up': '-> nowhere/../../../x',
    enabled: 'dir',
    'enabled/a': '644 x\n',
    'enabled/tz': '-> /usr/share/zoneinfo/UTC',
  })
  const again = await context.next({ keptLinks })
  expect((await filesDriver.plan(again)).changes).toEqual([])
  expect((await filesDriver.validate(again)).map(({ code }) => code)).toEqual([
    'link-leaves-source',
    'link-leaves-source',
  ])
  const gone = await deploy(await context.next())
  expect(lines(gone.plan, context.target)).toEqual(['delete /..up target', 'delete /enabled/tz target'])
})

test('a link that the stack placed makes room for a directory, and nothing is written through it', async () => {
  context = await filesTest({ files: { 'stack/a': 'x\n' }, config: { links: 'keep' } })
  const outside = join(context.root, 'outside')
  await mkdir(outside)
  await writeFile(join(outside, 'a'), 'theirs\n')
  context.keptLinks = new Map([['stack/conf.d', outside]])
  await deploy(context)
  await context.write({ 'stack/conf.d/a': 'ours\n' })
  const { plan, result } = await deploy(await context.next())
  expect(lines(plan, context.target)).toEqual(['replace /conf.d type', 'create /conf.d/a content,mode'])
  expect(result.status).toBe('applied')
  expect(await tree(outside)).toEqual({ a: '644 theirs\n' })
  await context.write({ 'stack/conf.d': null })
  const { plan: linked } = await deploy(await context.next({ keptLinks: context.keptLinks }))
  expect(lines(linked, context.target)).toEqual(['replace /conf.d type,target', 'delete /conf.d/a content'])
  expect(await tree(context.target)).toMatchObject({ 'conf.d': `-> ${outside}` })
  expect(await readdir(outside)).toEqual(['a'])
})

test('a link in the place of a file, and one that leads elsewhere by hand', async () => {
  context = await filesTest({ files: { 'stack/a': 'x\n', 'stack/b': 'y\n' }, config: { links: 'keep' } })
  await deploy(context)
  const keptLinks = new Map([['stack/a', '/nowhere/at/all']])
  await context.write({ 'stack/a': null })
  const { plan } = await deploy(await context.next({ keptLinks }))
  expect(lines(plan, context.target)).toEqual(['replace /a type,target'])
  await symlink('/etc', join(context.target, 'c'))
  const { plan: drift } = await deploy(await context.next({ keptLinks: new Map([...keptLinks, ['stack/c', '/usr']]) }))
  expect(drift.changes).toMatchObject([{ attributes: [{ path: 'target', before: '/etc', after: '/usr' }] }])
  expect(await tree(context.target)).toEqual({ a: '-> /nowhere/at/all', b: '644 y\n', c: '-> /usr' })
})

test.each([
  ['a name that is no text', 'stack/caf\ufffdE9'],
  ['the name of a file', 'stack/a'],
  ['the name of a directory', 'stack/d'],
  ['a name below a file', 'stack/a/b'],
])('%s is refused', async (_what, path) => {
  context = await filesTest({ files: { 'stack/a': 'x\n', 'stack/d/b': 'y\n' }, config: { links: 'keep' } })
  context.keptLinks = new Map([[path, '/etc']])
  await expect(filesDriver.plan(context)).rejects.toMatchObject({ code: 'SOURCE_INVALID' })
})
