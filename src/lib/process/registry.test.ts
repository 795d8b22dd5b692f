import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { bootId, processEntry } from './proc.ts'
import { killLeftBehind, processRegistry } from './registry.ts'
import { runProcess } from './run.ts'

const PATH = process.env.PATH ?? '/usr/bin:/bin'
let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'trueup-registry-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const alive = (pid: number) => processEntry(pid)?.zombie === false
const record = (content: object) =>
  writeFileSync(join(dir, 'r.json'), JSON.stringify({ mark: 'm', label: 'x', ...content }))

test('a record stands while the group runs and is gone after it', async () => {
  const registry = processRegistry(dir)
  let during: string[] | undefined
  const argv = ['/bin/sh', '-c', 'echo x; cat /proc/$$/environ; sleep 0.1']
  const result = await runProcess({ argv, env: {}, registry, onLine: () => (during ??= readdirSync(dir)) })
  expect(during).toHaveLength(1)
  expect(result.stdout).toContain('TRUEUP_PROCESS_GROUP=')
  expect(readdirSync(dir)).toEqual([])
})

test('a program that cannot be started leaves no record', async () => {
  const started = runProcess({ argv: ['nothing-of-the-kind'], env: { PATH }, registry: processRegistry(dir) })
  await expect(started).rejects.toMatchObject({ code: 'TOOL_MISSING' })
  expect(readdirSync(dir)).toEqual([])
})

test('what a killed program left behind is ended, children and all', async () => {
  const owner = spawnOwner(`trap '' INT; sleep 300 & echo $! > ${dir}/child.pid; wait`)
  await vi.waitFor(() => expect(readFileSync(`${dir}/child.pid`, 'utf8')).toMatch(/\d\n/), 180_000)
  const child = Number(readFileSync(`${dir}/child.pid`, 'utf8'))
  await vi.waitFor(() => expect(records()).toMatchObject([{ pid: expect.any(Number) }]), 180_000)
  owner.kill('SIGKILL')
  await new Promise((resolve) => owner.once('exit', resolve))
  expect(alive(child)).toBe(true)

  expect(await killLeftBehind(join(dir, 'groups'), 300)).toEqual(['/bin/sh -c'])
  expect(alive(child)).toBe(false)
  expect(readdirSync(join(dir, 'groups'))).toEqual([])
  expect(await killLeftBehind(join(dir, 'groups'), 300)).toEqual([])
})

test('a process that merely got the same id is not touched', async () => {
  const innocent = spawn('/bin/sleep', ['300'], { detached: true, stdio: 'ignore' })
  const pid = innocent.pid!
  record({ bootId: bootId(), pid, startTime: processEntry(pid)!.startTime - 1 })
  expect(await killLeftBehind(dir, 0)).toEqual([])
  expect(alive(pid)).toBe(true)
  record({ bootId: 'another boot', pid, startTime: processEntry(pid)!.startTime })
  expect(await killLeftBehind(dir, 0)).toEqual([])
  expect(alive(pid)).toBe(true)
  innocent.kill('SIGKILL')
})

test('a group whose id was not written down any more is found by its mark', async () => {
  const env = { TRUEUP_PROCESS_GROUP: 'marked-7' }
  const orphan = spawn('/bin/sleep', ['300'], { detached: true, stdio: 'ignore', env })
  await vi.waitFor(() => expect(readFileSync(`/proc/${orphan.pid}/environ`, 'utf8')).toContain('marked-7'), 180_000)
  record({ mark: 'marked-7', bootId: bootId() })
  expect(await killLeftBehind(dir, 0)).toEqual(['x'])
  expect(alive(orphan.pid!)).toBe(false)
})

test('a half-written record is cleared away', async () => {
  writeFileSync(join(dir, 'r.json'), '{"mark":')
  expect(await killLeftBehind(dir, 0)).toEqual([])
  expect(readdirSync(dir)).toEqual([])
})

const records = () =>
  readdirSync(join(dir, 'groups')).map((name) => JSON.parse(readFileSync(join(dir, 'groups', name), 'utf8')) as object)

/** A program of its own that runs a shell script under the registry, and that can be killed. */
function spawnOwner(script: string) {
  const module = (name: string) => JSON.stringify(join(import.meta.dirname, name))
  const code = `
    const { runProcess } = await import(${module('run.ts')})
    const { processRegistry } = await import(${module('registry.ts')})
    const registry = processRegistry(${JSON.stringify(join(dir, 'groups'))})
    await runProcess({ argv: ['/bin/sh', '-c', ${JSON.stringify(script)}], env: { PATH: ${JSON.stringify(PATH)} }, registry })`
  return spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: 'inherit' })
}
