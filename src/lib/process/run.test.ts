import { mkdtempSync, rmSync, writeFileSync, chmodSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { runProcess } from './run.ts'

const PATH = process.env.PATH ?? '/usr/bin:/bin'
let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'trueup-process-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const sh = (script: string, more: object = {}) =>
  runProcess({ argv: ['/bin/sh', '-c', script], env: { PATH }, ...more })

test('the exit code, both streams and the input come through', async () => {
  const result = await sh('cat; echo to-stderr >&2; exit 3', { input: 'from stdin\n' })
  expect(result).toMatchObject({ exitCode: 3, signal: null, stdout: 'from stdin\n', stderr: 'to-stderr\n' })
  expect(result).toMatchObject({ timedOut: false, canceled: false, truncatedBytes: 0 })
})

test('a program that does not read its input is no error', async () => {
  expect(await sh('exit 0', { input: Buffer.alloc(4 * 1024 * 1024) })).toMatchObject({ exitCode: 0 })
})

test('nothing of the environment is inherited', async () => {
  process.env.TRUEUP_TEST_SECRET = 'leak'
  const result = await runProcess({ argv: ['/usr/bin/env'], env: { ONLY: 'this' } })
  delete process.env.TRUEUP_TEST_SECRET
  expect(result.stdout).toBe('ONLY=this\n')
})

test('arguments reach the program as they are', async () => {
  const odd = ['$(id)', 'a b', "it's", '*', '']
  const result = await runProcess({ argv: ['/usr/bin/printf', '%s|', ...odd], env: {} })
  expect(result.stdout).toBe(`${odd.join('|')}|`)
})

test('the signal that ended a program is told', async () => {
  expect(await sh('kill -SEGV $$')).toMatchObject({ exitCode: null, signal: 'SIGSEGV' })
})

test('a process that was canceled before its start is not started', async () => {
  const file = join(dir, 'touched')
  const result = await sh(`touch ${file}`, { signal: AbortSignal.abort() })
  expect(result).toMatchObject({ canceled: true, exitCode: null })
  expect((await sh(`ls ${dir}`)).stdout).toBe('')
})

test.for([
  ['a name that is nowhere in PATH', ['no-such-program-here'], 'TOOL_MISSING', /in no directory of PATH/],
  ['a path that does not exist', ['./nowhere/tool'], 'TOOL_MISSING', /no such file/],
  ['a directory', ['/usr'], 'TOOL_MISSING', /is a directory/],
  ['an argument above the limit of the system', ['/bin/true', 'x'.repeat(3_000_000)], 'TOO_LARGE', /3000\d\d\d bytes/],
  ['an argument with a NUL byte', ['/bin/true', 'a\0b'], 'INVALID_REQUEST', /NUL/],
] as const)('%s is a clear error', async ([, argv, code, why]) => {
  const failure = await runProcess({ argv: [...argv], env: { PATH } }).catch((thrown: unknown) => thrown)
  expect(failure).toMatchObject({ code })
  expect((failure as Error).message).toMatch(why)
})

test.for([
  ['not executable', '#!/bin/sh\n', 0o644, 'TOOL_MISSING', /not executable/],
  ['of a missing interpreter', '#!/opt/none/python9\n', 0o755, 'TOOL_MISSING', /interpreter.*#!\/opt\/none\/python9/],
] as const)('a script that is %s is a clear error', async ([, content, mode, code, why]) => {
  const file = join(dir, 'tool')
  writeFileSync(file, content)
  chmodSync(file, mode)
  const failure = await runProcess({ argv: ['./tool'], cwd: dir, env: { PATH } }).catch((thrown: unknown) => thrown)
  expect(failure).toMatchObject({ code })
  expect((failure as Error).message).toMatch(why)
})

test('a binary for another processor is named as such', async () => {
  const header = Buffer.alloc(64)
  header.write('\x7fELF\x02\x01\x01', 'latin1')
  header.writeUInt16LE(2, 16)
  header.writeUInt16LE(22, 18) // s390
  const file = join(dir, 'tool')
  writeFileSync(file, header)
  chmodSync(file, 0o755)
  const failure = await runProcess({ argv: [file], env: { PATH } }).catch((thrown: unknown) => thrown)
  expect(failure).toMatchObject({ code: 'TOOL_MISSING' })
  expect((failure as Error).message).toMatch(/processor|no program/)
})

test('a working directory that does not exist is named, not the program', async () => {
  const failure = await sh('true', { cwd: join(dir, 'gone') }).catch((thrown: unknown) => thrown)
  expect(failure).toMatchObject({ code: 'NOT_FOUND' })
  expect((failure as Error).message).toContain(join(dir, 'gone'))
})
