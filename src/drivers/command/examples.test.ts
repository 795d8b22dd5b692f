import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { spawnSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { testContext, type SourceFile, type TestContext } from '../testing/context.ts'
import { CommandConfig } from './config.ts'
import { commandDriver as driver } from './index.ts'

const EXAMPLE = join(import.meta.dirname, '../../../examples/command')
const hasPython = spawnSync('python3', ['--version']).status === 0
const stacks = (
  parse(readFileSync(join(EXAMPLE, 'trueup.yaml'), 'utf8')) as { stacks: { path: string; with: unknown }[] }
).stacks

let target: string
let context: TestContext<CommandConfig> | undefined
beforeEach(() => {
  target = mkdtempSync(join(tmpdir(), 'trueup-example-'))
})
afterEach(async () => {
  await context?.remove()
  rmSync(target, { recursive: true, force: true })
})

/** The files of one stack of the example, as they stand in the repository. */
function filesOf(path: string): { [path: string]: SourceFile } {
  const names = readdirSync(join(EXAMPLE, path))
  return Object.fromEntries(
    names.map((name) => {
      const file = join(EXAMPLE, path, name)
      return [`${path}/${name}`, { content: readFileSync(file), mode: statSync(file).mode & 0o777 }]
    }),
  )
}

async function open(path: string, changes: object, env: { [name: string]: string } = {}, destroy = false) {
  const given = stacks.find((stack) => stack.path === path)?.with
  const config = CommandConfig.parse({ ...(given as object), ...changes })
  context = await testContext({ config, path, files: filesOf(path), env, destroy })
  return context
}

describe.skipIf(!hasPython)('the Python example (needs python3)', () => {
  const start = (destroy = false) => open('hosts', { settings: { file: join(target, 'hosts') } }, {}, destroy)
  const file = () => readFileSync(join(target, 'hosts'), 'utf8')

  test('plans, applies, and has nothing to do after it', async () => {
    writeFileSync(join(target, 'hosts'), '127.0.0.1 localhost\n')
    const its = await start()
    expect(await driver.versions(its)).toEqual({ python: expect.stringMatching(/^3\./) })
    expect(await driver.validate(its)).toEqual([])
    const plan = await driver.plan(its)
    expect(plan.changes).toEqual([
      {
        address: 'db.example',
        type: 'host',
        actions: ['create'],
        attributes: [{ path: 'address', after: '10.0.0.20' }],
        cause: 'config',
      },
      expect.objectContaining({ address: 'web.example' }),
    ])
    expect(plan.coverage).toEqual({ checked: 2, unchecked: [] })
    expect(await driver.apply(its, plan)).toMatchObject({
      status: 'applied',
      resources: [
        { address: 'db.example', status: 'done' },
        { address: 'web.example', status: 'done' },
      ],
      outputs: { hosts: { value: 2 } },
    })
    expect(file()).toBe(
      '127.0.0.1 localhost\n10.0.0.20 db.example # trueup staging/hosts\n10.0.0.10 web.example # trueup staging/hosts\n',
    )
    expect((await driver.plan(its)).changes).toEqual([])
    expect(its.lines).toContain('2/2 web.example')
  })

  test('finds what was changed by hand, as drift in a drift run', async () => {
    const its = await start()
    await driver.apply(its, await driver.plan(its))
    writeFileSync(join(target, 'hosts'), file().replace('10.0.0.10', '10.6.6.6'))
    const { changes } = await driver.plan(await its.next<CommandConfig>({ kind: 'drift' }))
    expect(changes).toMatchObject([
      { address: 'web.example', cause: 'drift', attributes: [{ before: '10.6.6.6', after: '10.0.0.10' }] },
    ])
  })

  test('refuses a plan that is no longer true, and changes nothing', async () => {
    const its = await start()
    const plan = await driver.plan(its)
    writeFileSync(join(target, 'hosts'), '10.0.0.20 db.example # trueup staging/hosts\n')
    await expect(driver.apply(its, plan)).rejects.toMatchObject({ code: 'PLAN_STALE' })
    expect(file()).toBe('10.0.0.20 db.example # trueup staging/hosts\n')
  })

  test('destroys what it made and nothing else', async () => {
    writeFileSync(join(target, 'hosts'), '127.0.0.1 localhost\n10.0.0.9 old.example # trueup staging/hosts\n')
    const its = await start(true)
    const plan = await driver.plan(its)
    expect(plan.changes).toMatchObject([{ address: 'old.example', actions: ['delete'] }])
    await driver.apply(its, plan)
    expect(file()).toBe('127.0.0.1 localhost\n')
  })

  test('says what is wrong with the source', async () => {
    const its = await start()
    await its.write({ 'hosts/hosts.json': '{"a b": "1"}' })
    await expect(driver.plan(its)).rejects.toMatchObject({ code: 'SOURCE_INVALID' })
  })
})

describe('the shell example', () => {
  const start = (destroy = false) => open('banner', {}, { BANNER_FILE: join(target, 'motd') }, destroy)

  test('plans, applies, finds drift and destroys', async () => {
    const its = await start()
    expect(await driver.versions(its)).toEqual({ command: expect.stringMatching(/^2\./) })
    expect(await driver.validate(its)).toEqual([])
    const plan = await driver.plan(its)
    expect(plan.changes).toMatchObject([{ address: 'command', actions: ['update'], cause: 'config' }])
    expect(plan.changes[0]?.attributes[0]?.after).toMatch(/^create .*motd:\nThis host is managed/)
    expect(await driver.apply(its, plan)).toMatchObject({
      status: 'applied',
      outputs: { file: { value: join(target, 'motd'), sensitive: false } },
    })
    expect((await driver.plan(its)).changes).toEqual([])

    writeFileSync(join(target, 'motd'), 'hacked\n')
    const drift = await driver.plan(await its.next<CommandConfig>({ kind: 'drift' }))
    expect(drift.changes[0]?.attributes[0]?.after).toContain('-hacked\n+This host')

    const gone = await its.next<CommandConfig>({ destroy: true })
    const destruction = await driver.plan(gone)
    expect(destruction.changes).toMatchObject([{ actions: ['delete'] }])
    expect(await driver.apply(gone, destruction)).toMatchObject({ status: 'applied' })
    expect(readdirSync(target)).toEqual([])
  })

  test('refuses a plan that is no longer true', async () => {
    const its = await start()
    const plan = await driver.plan(its)
    writeFileSync(join(target, 'motd'), 'meanwhile\n')
    const result = await driver.apply(its, plan)
    expect(result).toMatchObject({ status: 'failed', resources: [{ address: 'command', status: 'failed' }] })
    expect(result.findings[0]?.message).toContain('the target changed after the plan')
    expect(readFileSync(join(target, 'motd'), 'utf8')).toBe('meanwhile\n')
  })
})
