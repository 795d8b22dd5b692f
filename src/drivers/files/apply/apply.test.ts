import { chmod, link, mkdir, mkdtemp, readFile, rm, stat, symlink, unlink, utimes, writeFile } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { TrueupError } from '../../../lib/errors/error.ts'
import { filesDriver } from '../index.ts'
import { deploy, type FilesTest, filesTest, leftovers, lines, tree } from '../testing/stack.ts'

let context: FilesTest
afterEach(() => context.remove())

test('a first deployment makes the target, its directories, files, modes and links', async () => {
  context = await filesTest({
    missingTarget: true,
    files: {
      'stack/nginx.conf': 'worker_processes 1;\n',
      'stack/bin/check': { content: '#!/bin/sh\n', mode: 0o755 },
      'stack/sites/on': { link: '../nginx.conf' },
    },
  })
  const { plan, result } = await deploy(context)
  expect(lines(plan, context.target)).toEqual([
    'create /',
    'create /bin',
    'create /bin/check content,mode',
    'create /nginx.conf content,mode',
    'create /sites',
    'create /sites/on target',
  ])
  expect(result.status).toBe('applied')
  expect(result.resources.every(({ status }) => status === 'done')).toBe(true)
  expect(result.outputs).toMatchObject({ files: { value: 3 }, target: { value: context.target } })
  expect(await tree(context.target)).toEqual({
    bin: 'dir',
    'bin/check': '755 #!/bin/sh\n',
    'nginx.conf': '644 worker_processes 1;\n',
    sites: 'dir',
    'sites/on': '-> ../nginx.conf',
  })
  expect((await filesDriver.plan(await context.next())).changes).toEqual([])
  expect(await leftovers(context.target)).toEqual([])
})

test('drift of content, mode, link and existence is planned attribute by attribute and put right', async () => {
  context = await filesTest({
    files: { 'stack/a': 'one\n', 'stack/b': 'two\n', 'stack/c': 'three\n', 'stack/l': { link: 'a' } },
  })
  await deploy(context)
  await writeFile(join(context.target, 'a'), 'changed\n')
  await chmod(join(context.target, 'b'), 0o666)
  await unlink(join(context.target, 'c'))
  await unlink(join(context.target, 'l'))
  await symlink('/etc/passwd', join(context.target, 'l'))
  const next = await context.next()
  const { plan } = await deploy(next)
  expect(plan.changes.map(({ actions, attributes }) => ({ actions, attributes }))).toEqual([
    { actions: ['update'], attributes: [{ path: 'content', before: 'changed\n', after: 'one\n' }] },
    { actions: ['update'], attributes: [{ path: 'mode', before: '0666', after: '0644' }] },
    {
      actions: ['create'],
      attributes: [
        { path: 'content', after: 'three\n' },
        { path: 'mode', after: '0644' },
      ],
    },
    { actions: ['update'], attributes: [{ path: 'target', before: '/etc/passwd', after: 'a' }] },
  ])
  expect(plan.coverage).toEqual({ checked: 5, unchecked: [] })
  expect((await filesDriver.plan(await context.next())).changes).toEqual([])
})

test('a directory above the target that a neighbour has made meanwhile is no reason to plan again', async () => {
  const host = await mkdtemp(join(tmpdir(), 'trueup-above-'))
  try {
    const target = join(host, 'srv', 'app')
    context = await filesTest({ config: { target }, files: { 'stack/a': 'one\n' } })
    const plan = await filesDriver.plan(context)
    expect(plan.changes[0]?.address).toBe(join(host, 'srv'))
    await mkdir(join(host, 'srv'))
    expect((await filesDriver.apply(context, plan)).status).toBe('applied')
    expect(await tree(target)).toEqual({ a: '644 one\n' })
  } finally {
    await rm(host, { recursive: true })
  }
})

test('what is not in the plan is left alone, and a changed host makes the plan stale before anything is written', async () => {
  context = await filesTest({ files: { 'stack/a': 'one\n', 'stack/b': 'two\n' } })
  const plan = await filesDriver.plan(context)
  await writeFile(join(context.target, 'b'), 'someone was here\n')
  const stale = await filesDriver.apply(context, plan).catch((error: unknown) => error)
  expect(stale).toBeInstanceOf(TrueupError)
  expect(stale).toMatchObject({ code: 'PLAN_STALE' })
  expect(await tree(context.target)).toEqual({ b: '644 someone was here\n' })
  const only = { ...plan, changes: plan.changes.filter(({ address }) => address.endsWith('/a')) }
  await filesDriver.apply(context, only)
  expect(await tree(context.target)).toEqual({ a: '644 one\n', b: '644 someone was here\n' })
})

test('a file of another type is replaced, and a directory in the way goes with what is in it, all of it planned', async () => {
  context = await filesTest({ files: { 'stack/a': 'file\n', 'stack/d/x': 'x\n', 'stack/l': { link: 'a' } } })
  await mkdir(join(context.target, 'a/deep'), { recursive: true })
  await writeFile(join(context.target, 'a/deep/old'), 'old')
  await writeFile(join(context.target, 'd'), 'a file where a directory belongs')
  await mkdir(join(context.target, 'l'))
  const { plan, result } = await deploy(context)
  expect(lines(plan, context.target)).toEqual([
    'replace /a type,content,mode',
    'delete /a/deep',
    'delete /a/deep/old content',
    'replace /d type',
    'create /d/x content,mode',
    'replace /l type,target',
  ])
  expect(result.status).toBe('applied')
  expect(await tree(context.target)).toEqual({ a: '644 file\n', d: 'dir', 'd/x': '644 x\n', l: '-> a' })
})

test('ignored attributes are neither planned nor written', async () => {
  const ignore = [
    { address: '/**/content-is-theirs', attribute: 'content' },
    { address: '/**/mode-is-theirs', attribute: 'mode' },
  ]
  context = await filesTest({ ignore, files: { 'stack/content-is-theirs': 'git\n', 'stack/mode-is-theirs': 'git\n' } })
  await writeFile(join(context.target, 'content-is-theirs'), 'host\n')
  await chmod(join(context.target, 'content-is-theirs'), 0o600)
  await writeFile(join(context.target, 'mode-is-theirs'), 'host\n')
  await chmod(join(context.target, 'mode-is-theirs'), 0o604)
  const { plan } = await deploy(context)
  expect(lines(plan, context.target)).toEqual(['update /content-is-theirs mode', 'update /mode-is-theirs content'])
  expect(await tree(context.target)).toEqual({ 'content-is-theirs': '644 host\n', 'mode-is-theirs': '604 git\n' })
})

test.skipIf(process.getuid?.() !== 0)('root: owners are set where configured and kept where not', async () => {
  const { chown } = await import('node:fs/promises')
  context = await filesTest({
    files: { 'stack/theirs': 'new\n', 'stack/ours': 'new\n', 'stack/link': { link: 'ours' } },
    config: { rules: [{ match: 'ours', owner: 'nobody', group: 65534, mode: '4750' }] },
  })
  await writeFile(join(context.target, 'theirs'), 'old\n')
  await chown(join(context.target, 'theirs'), 1234, 4321)
  const { plan } = await deploy(context)
  expect(plan.changes.find(({ address }) => address.endsWith('ours'))?.attributes.slice(1)).toMatchObject([
    { path: 'mode', after: '04750' },
    { path: 'owner', after: 'nobody' },
    { path: 'group' },
  ])
  expect(await stat(join(context.target, 'theirs'))).toMatchObject({ uid: 1234, gid: 4321 })
  expect(await stat(join(context.target, 'ours'))).toMatchObject({ uid: 65534, gid: 65534, mode: 0o104750 })
  await chown(join(context.target, 'ours'), 0, 0)
  const { plan: drift } = await deploy(await context.next())
  expect(lines(drift, context.target)).toEqual(['update /ours mode,owner,group'])
  expect(await stat(join(context.target, 'ours'))).toMatchObject({ uid: 65534, gid: 65534, mode: 0o104750 })
})

test('content of files that others may not read stays on the worker', async () => {
  context = await filesTest({
    files: { 'stack/key': 'new secret\n', 'stack/public': 'x\n' },
    config: { rules: [{ match: 'key', mode: '0600' }] },
  })
  await writeFile(join(context.target, 'key'), 'old secret\n', { mode: 0o600 })
  const { plan } = await deploy(context)
  expect(JSON.stringify(plan)).not.toContain('secret')
  expect(plan.changes[0]?.attributes).toMatchObject([{ path: 'content', sensitive: true }])
  expect(await readFile(join(context.target, 'key'), 'utf8')).toBe('new secret\n')
})

test('large and binary contents show as hashes, and are written whole', async () => {
  const large = Buffer.alloc(3_000_001, 'large ')
  const binary = Buffer.from([0, 1, 2, 255])
  context = await filesTest({ files: { 'stack/large': large, 'stack/binary': binary } })
  const { plan } = await deploy(context)
  expect(plan.changes.map(({ attributes }) => attributes[0]?.after)).toEqual([
    expect.stringMatching(/^sha256:[0-9a-f]{64} \(4 bytes\)$/),
    expect.stringMatching(/^sha256:[0-9a-f]{64} \(3000001 bytes\)$/),
  ])
  expect((await readFile(join(context.target, 'large'))).equals(large)).toBe(true)
  expect((await readFile(join(context.target, 'binary'))).equals(binary)).toBe(true)
})

test('a hard link is broken up, and said so', async () => {
  context = await filesTest({ files: { 'stack/a': 'new\n' } })
  await writeFile(join(context.target, 'a'), 'old\n')
  await link(join(context.target, 'a'), join(context.target, 'other'))
  const { plan } = await deploy(context)
  expect(plan.findings).toMatchObject([{ code: 'hard-links' }])
  expect(await tree(context.target)).toEqual({ a: '644 new\n', other: '644 old\n' })
})

test('temporary files of a killed apply go with the next one, those of other stacks stay', async () => {
  context = await filesTest({ files: { 'stack/d/a': 'new\n' } })
  await mkdir(join(context.target, 'd'))
  await deploy(context)
  const inventory = (await import('../host/inventory.ts')).ownNames(context.stack)
  const mine = inventory.temporary('0123456789abcdef')
  await writeFile(join(context.target, 'd', mine), 'half')
  const other = '.trueup-aaaaaaaaaaaa.0123456789abcdef.tmp'
  await writeFile(join(context.target, 'd', other), 'half')
  await writeFile(join(context.target, 'd/a'), 'drift\n')
  await deploy(await context.next())
  expect(existsSync(join(context.target, 'd', mine))).toBe(false)
  expect(existsSync(join(context.target, 'd', other))).toBe(true)
})

test('a target that is a file or a symbolic link is refused, a link is followed on demand', async () => {
  context = await filesTest({ missingTarget: true, files: { 'stack/a': 'x\n' } })
  await writeFile(context.target, 'a file')
  await expect(filesDriver.plan(context)).rejects.toMatchObject({ code: 'TARGET_UNSAFE' })
  await unlink(context.target)
  const real = join(context.root, 'real')
  await mkdir(real)
  await symlink(real, context.target)
  await expect(filesDriver.plan(context)).rejects.toMatchObject({ code: 'TARGET_UNSAFE' })
  const follows = await context.next({ config: { ...context.config, followTargetSymlink: true } })
  await deploy(follows)
  expect(await tree(real)).toEqual({ a: '644 x\n' })
})

test('a touched file with equal content is no drift', async () => {
  context = await filesTest({ files: { 'stack/a': 'x\n' } })
  await deploy(context)
  await utimes(join(context.target, 'a'), 1, 1)
  expect((await filesDriver.plan(await context.next())).changes).toEqual([])
})
