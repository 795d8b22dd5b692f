import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { describeWithTool } from '../../../test/tools.ts'
import { filesDriver } from './index.ts'
import { exampleStack, standIn } from './testing/example.ts'
import { deploy, type FilesTest, lines, tree } from './testing/stack.ts'

let context: FilesTest
afterEach(() => context.remove())

/** The next run with the stand-ins still on its PATH. */
const next = async (): Promise<FilesTest> =>
  Object.assign(await context.next({ env: context.env }), { target: context.target })

test('a Compose project: checked, placed, brought up, healed, and its files leave the host with Git', async () => {
  context = await exampleStack('compose', 'web', '/tmp/trueup-example/compose/web')
  const calls = await standIn(context, 'docker')
  expect(await filesDriver.validate(context)).toEqual([])
  const first = await deploy(context)
  expect(first.result.status).toBe('applied')
  expect(Object.keys(await tree(context.target)).sort()).toEqual(['compose.yaml', 'html', 'html/index.html', 'web.env'])
  const up = `compose --project-directory ${context.target} up --detach --remove-orphans --wait`
  expect(await calls()).toEqual([expect.stringMatching(/^compose --file .*\/compose.yaml config --quiet$/), up])

  await writeFile(join(context.target, 'web.env'), 'TAMPERED=1\n')
  const heal = await deploy(await next())
  expect(lines(heal.plan, context.target)).toEqual(['update /web.env content'])
  expect((await calls()).slice(2)).toEqual([up])

  await context.write({ 'web/html/index.html': null })
  const { plan } = await deploy(await next())
  expect(lines(plan, context.target)).toEqual(['delete /html', 'delete /html/index.html content'])
})

test('a Compose project that is not valid changes nothing on the host', async () => {
  context = await exampleStack('compose', 'web', '/tmp/trueup-example/compose/web')
  await standIn(
    context,
    'docker',
    'case "$*" in *config*) echo "services.web.image must be a string" >&2; exit 15;; esac',
  )
  const plan = await filesDriver.plan(context)
  const thrown = await filesDriver.apply(context, plan).catch((error: unknown) => error)
  expect(String(thrown)).toContain('services.web.image must be a string')
  expect(await tree(context.target).catch(() => ({}))).toEqual({})
})

describeWithTool('systemd-analyze', 'a systemd service', () => {
  test('checked by systemd, placed, restarted, and healed', async () => {
    context = await exampleStack('systemd', 'host', '/')
    const calls = await standIn(context, 'systemctl')
    expect(await filesDriver.validate(context)).toEqual([])
    // systemd-analyze looks for the programs that a unit starts on the machine itself: /bin/sh is there.
    expect((await deploy(context)).result).toMatchObject({ status: 'applied' })
    const placed = await tree(context.target)
    expect(placed['etc/hello/hello.env']).toBe('640 GREETING="Good morning"\n')
    expect(placed['usr/local/bin/hello']).toMatch(/^755 /)
    const restarted = ['enable --now hello.service', 'restart hello.service']
    expect(await calls()).toEqual(['daemon-reload', ...restarted])

    await writeFile(join(context.target, 'usr/local/bin/hello'), '#!/bin/sh\n')
    const heal = await deploy(await next())
    expect(lines(heal.plan, context.target)).toEqual(['update /usr/local/bin/hello content'])
    expect((await calls()).slice(3)).toEqual(restarted)
    expect(await tree(context.target)).toEqual(placed)
  })

  test.each([
    ['a section', '[Service]', '[Servcie]'],
    ['a key', 'ExecStart=', 'User=root\nExecStrat=/bin/true\nExecStart='],
  ])('a unit with %s that systemd does not know changes nothing', async (_, right, wrong) => {
    context = await exampleStack('systemd', 'host', '/')
    const calls = await standIn(context, 'systemctl')
    const unit = await readFile(join(context.workspace, 'host/etc/systemd/system/hello.service'), 'utf8')
    await context.write({ 'host/etc/systemd/system/hello.service': unit.replace(right, wrong) })
    const plan = await filesDriver.plan(context)
    await expect(filesDriver.apply(context, plan)).rejects.toThrow(/hello.service/)
    expect(await tree(context.target)).toEqual({})
    expect(await calls()).toEqual([])
  })
})
