import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { RunDetail } from '../../src/server/schemas/plans.ts'
import { isAlive, processesWith } from './processes.ts'
import { freePort } from '../../src/lib/testing/free-port.ts'
import { until } from './wait.ts'
import { createWorld, type World } from './world.ts'

// What tools do to a runner: they hang, shout, fork, hide, and are not there.
let world: World
let runs: Map<string, RunDetail>

const PLANS: { [stack: string]: { plan: string; more?: string } } = {
  hangs: { plan: 'sleep 600', more: 'timeout: 2s' },
  deaf: { plan: "trap '' INT TERM; while :; do sleep 600; done", more: 'timeout: 2s' },
  shouts: { plan: 'head -c 1073741824 /dev/zero | tr "\\\\0" x >&2; exit 0' },
  chatters: { plan: "yes 'module.network.aws_subnet.a[17]: Still creating...' | head -c 1073741824 >&2; exit 0" },
  prints: { plan: 'head -c 1073741824 /dev/zero | tr "\\\\0" x; exit 2' },
  forks: { plan: '(sleep 600 & echo $! >"$FAULTS_WORLD/forked"); (sleep 601 &); exit 0' },
  missing: { plan: 'no-such-tool-anywhere plan' },
}

beforeAll(async () => {
  world = await createWorld({ lease: '15s', keep: false, terraform: null })
  const stacks = Object.entries(PLANS).map(
    ([name, { plan, more }]) =>
      `  - path: ${name}\n    driver: command\n    environments: [production]\n    variables: { FAULTS_WORLD: ${JSON.stringify(world.directory)} }\n${more ? `    ${more}\n` : ''}    with: { plan: ${JSON.stringify(plan)}, apply: "true" }\n`,
  )
  const files = Object.fromEntries(Object.keys(PLANS).map((name) => [`${name}/file`, 'x\n']))
  const mr = await world.propose('tools', {
    ...files,
    'trueup.yaml': `version: 1\nenvironments:\n  production: { tier: production }\nstacks:\n${stacks.join('')}`,
  })
  runs = new Map()
  for (const { stack, run } of mr.stacks)
    if (run) runs.set(stack.replace('production/', ''), await world.ada.get(`/api/v1/runs/${run}`, RunDetail))
}, 420_000)
afterAll(() => world.close())

test.each(['hangs', 'deaf'])('a tool that %s is ended when its time is over', (name) => {
  expect(runs.get(name)).toMatchObject({ state: 'failed', error: { code: 'TIMED_OUT' } })
  expect(processesWith({ TRUEUP_STACK: name, FAULTS_WORLD: world.directory })).toEqual([])
})

test.each(['shouts', 'chatters'])('a gigabyte of output (%s) costs neither memory nor disk', (name) => {
  const run = runs.get(name)
  expect(run?.state).toBe('succeeded')
  expect(run?.logSize).toBeLessThan(32 * 1024 * 1024)
})

test('a gigabyte as the plan is refused by its size', () => {
  expect(runs.get('prints')).toMatchObject({ state: 'failed', error: { code: 'TOOL_OUTPUT' } })
})

test('the runner and the server stay small under it', () => {
  for (const pid of [world.server.pid, world.server.runnerPid()!]) {
    const peak = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
    expect(Number(peak) / 1024).toBeLessThan(600)
  }
})

test('what a tool leaves running in its group is ended with the run', () => {
  expect(runs.get('forks')?.state).toBe('succeeded')
  const forked = Number(readFileSync(join(world.directory, 'forked'), 'utf8'))
  expect(isAlive(forked)).toBe(false)
  expect(processesWith({ TRUEUP_STACK: 'forks', FAULTS_WORLD: world.directory })).toEqual([])
})

test('a tool that is not there is named', () => {
  const run = runs.get('missing')
  expect(run?.state).toBe('failed')
  expect(JSON.stringify(run?.error)).toContain('no-such-tool-anywhere')
})

test('a runner that cannot reach its server says so, keeps trying, and stops when it is told to', async () => {
  const data = mkdtempSync(join(tmpdir(), 'trueup-lonely-'))
  const token = join(data, 'token')
  writeFileSync(token, 'enrolment-token')
  const main = fileURLToPath(new URL('../../src/worker/main.ts', import.meta.url))
  const argv = [main, `--server=http://127.0.0.1:${await freePort()}`, `--data=${join(data, 'runner')}`]
  const runner = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', ...argv, `--token-file=${token}`])
  let said = ''
  const listen = (chunk: Buffer): void => void (said += chunk.toString())
  runner.stdout.on('data', listen)
  runner.stderr.on('data', listen)
  const exited = new Promise<number | null>((resolve) => runner.once('exit', (code) => resolve(code)))
  try {
    await until(
      'it says that it cannot reach the server, and goes on',
      () => said.split('not reached').length > 2,
      180_000,
    )
    expect(runner.exitCode).toBeNull()
    runner.kill('SIGTERM')
    expect(await exited).not.toBeNull()
    expect(existsSync(join(data, 'runner', 'outbox'))).toBe(false)
  } finally {
    runner.kill('SIGKILL')
    rmSync(data, { recursive: true, force: true })
  }
})
