import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rename, symlink, unlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { decodePath } from '../../../git/paths.ts'
import { HostTree } from '../host/host-tree.ts'
import { filesDriver } from '../index.ts'
import { deploy, type FilesTest, filesTest, leftovers, lines, tree } from '../testing/stack.ts'

let context: FilesTest
afterEach(() => context.remove())

test('a directory that is a link to outside the target is refused by name', async () => {
  context = await filesTest({ files: { 'stack/conf.d/a': 'x\n' } })
  await symlink('/etc', join(context.target, 'conf.d'))
  await expect(filesDriver.plan(context)).rejects.toMatchObject({
    code: 'TARGET_UNSAFE',
    message: expect.stringMatching(/conf\.d: it is a symbolic link to \/etc/),
  })
})

test('a directory that is a link inside the target becomes a directory', async () => {
  context = await filesTest({ files: { 'stack/conf.d/a': 'x\n' } })
  await mkdir(join(context.target, 'real'))
  await writeFile(join(context.target, 'real/a'), 'theirs\n')
  await symlink('real', join(context.target, 'conf.d'))
  const { plan } = await deploy(context)
  expect(lines(plan, context.target)).toEqual(['replace /conf.d type', 'create /conf.d/a content,mode'])
  expect(await tree(context.target)).toEqual({
    'conf.d': 'dir',
    'conf.d/a': '644 x\n',
    real: 'dir',
    'real/a': '644 theirs\n',
  })
})

test('a parent swapped for a link between plan and apply leads nowhere', async () => {
  context = await filesTest({ files: { 'stack/conf.d/a': 'x\n' } })
  await mkdir(join(context.target, 'conf.d'))
  const outside = join(context.root, 'outside')
  await mkdir(outside)
  const plan = await filesDriver.plan(context)
  await rename(join(context.target, 'conf.d'), join(context.root, 'moved'))
  await symlink(outside, join(context.target, 'conf.d'))
  await expect(filesDriver.apply(context, plan)).rejects.toMatchObject({
    code: expect.stringMatching(/TARGET_UNSAFE|PLAN_STALE/),
  })
  expect(await readdir(outside)).toEqual([])
})

test('a parent swapped while the check command runs is noticed, and nothing is written through it', async () => {
  context = await filesTest({ files: { 'stack/conf.d/a': 'x\n' } })
  await mkdir(join(context.target, 'conf.d'))
  const outside = join(context.root, 'outside')
  await mkdir(outside)
  const swap = `mv ${context.target}/conf.d ${context.root}/moved && ln -s ${outside} ${context.target}/conf.d`
  const next = await context.next({ config: { ...context.config, check: swap } })
  const outcome = await deploy(next).then(
    ({ result }) => result.status,
    (error: unknown) => error,
  )
  expect(outcome).not.toBe('applied')
  expect(await readdir(outside)).toEqual([])
})

test('paths below an open directory do not follow what is planted later', async () => {
  context = await filesTest({ files: {} })
  await mkdir(join(context.target, 'd'))
  const host = HostTree.open(context.target)
  const place = host?.locate('d/file')
  await rename(join(context.target, 'd'), join(context.target, 'moved'))
  await symlink('/etc', join(context.target, 'd'))
  if (place?.kind !== 'open') throw new Error('not open')
  await writeFile(place.path, 'x')
  expect(await readdir(join(context.target, 'moved'))).toEqual(['file'])
  host?.rewind()
  expect(host?.locate('d/passwd')).toEqual({ kind: 'blocked', by: 'd' })
  host?.close()
})

test('fifos, sockets and devices at managed paths are shown and replaced, and never waited for', async () => {
  context = await filesTest({ files: { 'stack/fifo': 'f\n', 'stack/socket': 's\n' } })
  execFileSync('mkfifo', [join(context.target, 'fifo')])
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(join(context.target, 'socket'), resolve))
  try {
    const { plan } = await deploy(context)
    expect(plan.changes.map(({ reason }) => reason)).toEqual([
      'a fifo is where Git has a file',
      'a socket is where Git has a file',
    ])
    expect(await tree(context.target)).toEqual({ fifo: '644 f\n', socket: '644 s\n' })
  } finally {
    server.close()
  }
})

test('names with newlines, quotes, percent signs and glob characters are ordinary names', async () => {
  const names = ['line\nbreak', "it's", '"quoted"', '100%', '[a]*?', '-rf', ' lead', 'ünï', '\\x2d.swap', '$(id)']
  context = await filesTest({ files: Object.fromEntries(names.map((name) => [`stack/${name}`, `${name}\n`])) })
  const { result } = await deploy(context)
  expect(result.status).toBe('applied')
  expect(Object.keys(await tree(context.target)).sort()).toEqual([...names].sort())
  expect((await filesDriver.plan(await context.next())).changes).toEqual([])
})

test('names that are not UTF-8 are refused in Git and reported, not removed, on the host, as the server writes them', async () => {
  const named = (directory: string, last: number): Buffer =>
    Buffer.concat([Buffer.from(`${directory}/caf`), Buffer.from([last])])
  context = await filesTest({ files: { 'stack/d/a': 'a\n' }, config: { prune: 'all' } })
  await mkdir(`${context.target}/d`)
  // Two that look the same wherever bytes that are no text become one sign.
  for (const last of [0xe9, 0xe8]) await writeFile(named(`${context.target}/d`, last), 'x')
  const { plan, result } = await deploy(context)
  expect(result.status).toBe('applied')
  const why = expect.stringContaining('not valid UTF-8')
  expect(plan.coverage.unchecked).toEqual([
    { address: expect.stringContaining('d/caf\ufffdE8'), why },
    { address: expect.stringContaining('d/caf\ufffdE9'), why },
  ])
  expect(await readdir(`${context.target}/d`)).toHaveLength(3)
  const inGit = named(`${context.directory}/d`, 0xe9)
  await writeFile(inGit, 'x')
  await expect(filesDriver.plan(await context.next())).rejects.toMatchObject({
    code: 'SOURCE_INVALID',
    message: expect.stringContaining(decodePath(Buffer.from('d/caf\xe9', 'latin1'))),
  })
})

test('links in Git are placed as they are and never read through', async () => {
  context = await filesTest({ files: { 'stack/shadow': { link: '/etc/shadow' } } })
  expect(await filesDriver.validate(context)).toMatchObject([{ code: 'link-leaves-source', path: 'stack/shadow' }])
  const { plan } = await deploy(context)
  expect(plan.changes[0]?.attributes).toEqual([{ path: 'target', after: '/etc/shadow' }])
  await context.write({ 'stack/shadow': null, 'stack/d': { link: '/etc' } })
  const linked = await context.next({ config: { ...context.config, source: 'd' } })
  await expect(filesDriver.plan(linked)).rejects.toMatchObject({ code: 'SOURCE_INVALID' })
})

test.skipIf(process.getuid?.() !== 0 || spawnSync('mount', ['--version']).status !== 0)(
  'root, mount: a full file system leaves every old file and says TARGET_FULL',
  async (test) => {
    context = await filesTest({ files: { 'stack/a': 'new\n', 'stack/b': Buffer.alloc(2_000_000, 'b') } })
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', context.target])
    if (mounted.status !== 0) return test.skip('no right to mount')
    try {
      await writeFile(join(context.target, 'a'), 'old\n')
      await expect(deploy(context)).rejects.toMatchObject({ code: 'TARGET_FULL' })
      expect(await tree(context.target)).toEqual({ a: '644 old\n' })
      expect(await leftovers(context.target)).toEqual([])
      spawnSync('mount', ['-o', 'remount,ro', context.target])
      await context.write({ 'stack/b': null })
      await expect(deploy(await context.next())).rejects.toMatchObject({ code: 'TARGET_DENIED' })
    } finally {
      spawnSync('umount', [context.target])
    }
  },
)

test.skipIf(process.getuid?.() !== 0 || spawnSync('chattr', ['-V']).error !== undefined)(
  'root: immutable files and mounts are named in the plan, and refused before anything is written or removed',
  async (test) => {
    const files = { 'stack/a': 'new\n', 'stack/fixed': 'new\n', 'stack/mounted': 'new\n' }
    context = await filesTest({ files, config: { prune: 'all' } })
    const at = (name: string): string => join(context.target, name)
    for (const name of ['a', 'fixed', 'mounted', 'old']) await writeFile(at(name), 'old\n')
    await mkdir(at('held'))
    await writeFile(at('held/old'), 'old\n')
    if (spawnSync('chattr', ['+i', at('fixed'), at('held')]).status !== 0)
      return test.skip('the file system has no immutable files')
    const mounted = spawnSync('mount', ['--bind', at('a'), at('mounted')]).status === 0
    try {
      const before = await tree(context.target)
      const plan = await filesDriver.plan(context)
      const refused = ['fixed', 'held/old', ...(mounted ? ['mounted'] : [])].map((name) => at(name))
      const named = plan.findings.filter(({ code }) => code === 'obstacle').map(({ path }) => path)
      expect(named).toEqual(expect.arrayContaining(refused))
      const next = await context.next()
      const error = await filesDriver.apply(next, plan).catch((thrown: unknown) => thrown)
      expect(error).toMatchObject({ code: 'TARGET_DENIED' })
      for (const path of refused) expect(String(error)).toContain(path)
      expect(await tree(context.target)).toEqual(before)
    } finally {
      if (mounted) spawnSync('umount', [at('mounted')])
      spawnSync('chattr', ['-i', at('fixed'), at('held')])
    }
    expect((await deploy(await context.next())).result.status).toBe('applied')
    expect(await tree(context.target)).toEqual({ a: '644 new\n', fixed: '644 new\n', mounted: '644 new\n' })
  },
)

test('pointers of Git LFS are refused by name, not deployed in place of their content', async () => {
  const oid = 'a'.repeat(64)
  const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${oid}\nsize 12345\n`
  context = await filesTest({ files: { 'stack/logo.png': pointer, 'stack/about': `What "${pointer}" means\n` } })
  await expect(filesDriver.plan(context)).rejects.toMatchObject({
    code: 'SOURCE_INVALID',
    message: expect.stringMatching(/logo\.png is a pointer of Git LFS/) as string,
  })
  expect(await tree(context.target).catch(() => ({}))).toEqual({})
  const without = await context.next({ config: { ...context.config, exclude: ['*.png'] } })
  expect((await filesDriver.plan(without)).changes.map(({ address }) => address)).toContain(
    join(context.target, 'about'),
  )
})

test('an error half-way names what was done, what was not, and keeps no temporary file', async () => {
  context = await filesTest({ files: { 'stack/a': 'a\n', 'stack/b': 'b\n', 'stack/c': 'c\n' } })
  const plan = await filesDriver.plan(context)
  // A process that writes a managed file at the worst moment: after the last look at all of them.
  const next = await context.next()
  const watched = new Proxy(next.signal, {
    get(signal, name) {
      if (name === 'aborted') intrude()
      return Reflect.get(signal, name, signal) as unknown
    },
  })
  let came = false
  const intrude = (): void => {
    if (came || !existsSync(join(context.target, 'a'))) return
    came = true
    execFileSync('sh', ['-c', 'echo theirs >"$0"', join(context.target, 'b')])
  }
  const result = await filesDriver.apply(Object.assign(next, { signal: watched }), plan)
  expect(result.status).toBe('failed')
  expect(result.resources.map(({ status }) => status)).toEqual(['done', 'failed', 'skipped'])
  expect(await tree(context.target)).toEqual({ a: '644 a\n', b: '644 theirs\n' })
  expect(await leftovers(context.target)).toEqual([])
  await unlink(join(context.target, 'b'))
  expect((await deploy(await context.next())).result.status).toBe('applied')
  expect(await readFile(join(context.target, 'c'), 'utf8')).toBe('c\n')
})
