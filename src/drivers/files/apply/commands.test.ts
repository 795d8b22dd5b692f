import { readFile, writeFile } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { filesDriver } from '../index.ts'
import { deploy, type FilesTest, filesTest, leftovers, lines, tree } from '../testing/stack.ts'

let context: FilesTest
afterEach(() => context.remove())

test('reload runs once, after all changes, only when a matching file changed', async () => {
  context = await filesTest({
    files: { 'stack/nginx/a': 'a\n', 'stack/nginx/b': 'b\n', 'stack/other': 'o\n' },
    config: { reload: [{ run: 'cat nginx/a nginx/b >>ran', when: ['nginx/**'] }] },
  })
  const reload = [{ run: `cd ${context.target}; cat nginx/a nginx/b >>../ran`, when: ['nginx/**'] }]
  const config = { ...context.config, reload }
  const { result } = await deploy(await context.next({ config }))
  expect(result.status).toBe('applied')
  expect(await readFile(join(context.root, 'ran'), 'utf8')).toBe('a\nb\n')
  await writeFile(join(context.target, 'other'), 'drift\n')
  await deploy(await context.next({ config }))
  expect(await readFile(join(context.root, 'ran'), 'utf8')).toBe('a\nb\n')
})

test('a reload that does not succeed is a failed apply that says what was done, and stays due', async () => {
  context = await filesTest({ files: { 'stack/a': 'new\n' } })
  const reload = `test -e ${join(context.root, 'repaired')} || { echo service is broken; exit 3; }`
  const config = { ...context.config, reload }
  const { result } = await deploy(await context.next({ config }))
  expect(result).toMatchObject({ status: 'failed', resources: [{ status: 'done' }] })
  expect(result.findings[0]).toMatchObject({
    code: 'TOOL_FAILED',
    message: expect.stringContaining('service is broken'),
  })
  expect(await tree(context.target)).toEqual({ a: '644 new\n' })

  const plan = await filesDriver.plan(await context.next({ config }))
  expect(lines(plan, context.target)).toEqual([`update #reload:${reload} due`])
  await writeFile(join(context.root, 'repaired'), '')
  const again = await deploy(await context.next({ config }))
  expect(again.result).toMatchObject({ status: 'applied', resources: [{ status: 'done' }] })
  expect((await filesDriver.plan(await context.next({ config }))).changes).toEqual([])
})

test('check sees the staged file before anything is in place, and its no leaves the host as it was', async () => {
  context = await filesTest({
    missingTarget: true,
    files: { "stack/it's; fine": 'good\n', 'stack/z': 'bad\n' },
    config: { check: 'grep -q good {file}' },
  })
  const plan = await filesDriver.plan(context)
  const refused = filesDriver.apply(context, plan)
  await expect(refused).rejects.toMatchObject({ code: 'TOOL_FAILED' })
  expect(existsSync(context.target)).toBe(false)
  await context.write({ 'stack/z': 'good too\n' })
  const { result } = await deploy(await context.next())
  expect(result.status).toBe('applied')
  expect(await leftovers(context.target)).toEqual([])
})

test('check can look at the whole wanted tree', async () => {
  context = await filesTest({
    files: { 'stack/a': 'x\n', 'stack/d/b': 'y\n', 'stack/l': { link: 'd/b' } },
    config: { check: 'test "$(cat {tree}/a {tree}/d/b {tree}/l)" = "$(printf \'x\\ny\\ny\')"' },
  })
  await writeFile(join(context.target, 'a'), 'x\n')
  const { result } = await deploy(context)
  expect(result.status).toBe('applied')
})

test('canceling stops before the next file, names what was done and leaves no temporary file', async () => {
  context = await filesTest({ files: { 'stack/a': 'a\n', 'stack/b': 'b\n' }, config: { check: 'true' } })
  const next = await context.next()
  // The check is the last thing before the first file is put in place.
  const runs: typeof next.run = async (spec) => {
    const result = await context.run(spec)
    next.cancel()
    return result
  }
  const canceled = Object.assign(next, { run: runs })
  const { result } = await deploy(canceled)
  expect(result).toMatchObject({ status: 'canceled', resources: [{ status: 'skipped' }, { status: 'skipped' }] })
  expect(await tree(context.target)).toEqual({})
  expect(await leftovers(context.target)).toEqual([])
})
