import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { processEntry } from './proc.ts'
import { runProcess } from './run.ts'

const PATH = process.env.PATH ?? '/usr/bin:/bin'
const fixture = (name: string) => join(import.meta.dirname, 'fixtures', name)
let dir: string
let file: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'trueup-process-'))
  file = join(dir, 'note')
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const alive = (pid: number) => processEntry(pid)?.zombie === false
const note = () => readFileSync(file, 'utf8').trim()

/** Runs a fixture and calls `onReady` at its first line. */
const run = (name: string, args: string[], more: object, onReady = () => {}) =>
  runProcess({ argv: [fixture(name), ...args], env: { PATH }, onLine: onReady, ...more })

test('children that outlive their program are ended with it, however stubborn', async () => {
  const result = await run('forks-children.sh', [file], {})
  expect(result).toMatchObject({ exitCode: 0, stdout: 'started\n' })
  expect(note().split(' ').map(Number).filter(alive)).toEqual([])
  expect(result.durationMs).toBeLessThan(5_000)
})

test('a canceled program gets one SIGINT and may end in order', async () => {
  const cancel = new AbortController()
  const result = await run('hangs.mjs', [file], { signal: cancel.signal }, () => cancel.abort())
  expect(result).toMatchObject({ exitCode: 130, canceled: true, timedOut: false })
  expect(note()).toBe('1')
})

test('a program that ignores SIGINT is killed after the grace, and got SIGINT once', async () => {
  const cancel = new AbortController()
  const result = await run('hangs.mjs', [file, 'stubborn'], { signal: cancel.signal, graceMs: 400 }, () =>
    cancel.abort(),
  )
  expect(result).toMatchObject({ exitCode: null, signal: 'SIGKILL', canceled: true })
  expect(note()).toBe('1')
})

test('a kill on top of a cancel does not wait for the grace', async () => {
  const cancel = new AbortController()
  const kill = new AbortController()
  const spec = { signal: cancel.signal, kill: kill.signal, graceMs: 60_000 }
  const result = await run('hangs.mjs', [file, 'stubborn'], spec, () => {
    cancel.abort()
    setTimeout(() => kill.abort(), 100)
  })
  expect(result).toMatchObject({ signal: 'SIGKILL', canceled: true })
  expect(result.durationMs).toBeLessThan(10_000)
})

test('a program that hangs is ended by its time-out', async () => {
  const result = await run('hangs.mjs', [file, 'stubborn'], { timeoutMs: 500, graceMs: 200 })
  expect(result).toMatchObject({ signal: 'SIGKILL', timedOut: true, canceled: false })
})

test('a tool below a wrapper that dies at once still gets the grace', async () => {
  const cancel = new AbortController()
  const result = await run('wrapper-dies-first.mjs', [file], { signal: cancel.signal, graceMs: 5_000 }, () =>
    cancel.abort(),
  )
  expect(result.canceled).toBe(true)
  expect(note()).toBe('saved')
})

test('a daemon with a session of its own is left alone and does not hold the result back', async () => {
  const result = await run('daemonises.sh', [file], {})
  const daemon = Number(note())
  const survived = alive(daemon)
  process.kill(daemon, 'SIGKILL')
  expect(result).toMatchObject({ exitCode: 0, stdout: 'gone\n' })
  expect(result.durationMs).toBeLessThan(5_000)
  expect(survived).toBe(true)
})
