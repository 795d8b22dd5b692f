import { expect, test } from 'vitest'
import { runProcess } from './run.ts'

const PATH = process.env.PATH ?? '/usr/bin:/bin'
const sh = (script: string, more: object = {}) =>
  runProcess({ argv: ['/bin/sh', '-c', script], env: { PATH }, ...more })
const MiB = 1024 * 1024

test('one gigabyte in a single line neither fills memory nor stops the program', async () => {
  const before = process.memoryUsage().rss
  let lines = 0
  let longest = 0
  const result = await sh('head -c 1073741824 /dev/zero | tr "\\0" x; echo; echo last', {
    maxOutputBytes: MiB,
    onLine: (line: string) => {
      lines++
      longest = Math.max(longest, line.length)
    },
  })
  expect(result.exitCode).toBe(0)
  expect(result.stdout.length).toBe(MiB)
  expect(result.truncatedBytes).toBe(1073741824 + 6 - MiB)
  expect(lines).toBe(2)
  expect(longest).toBeLessThan(70_000)
  expect(process.memoryUsage().rss - before).toBeLessThan(200 * MiB)
})

test('lines come whole, with their stream, and the last one without a line end too', async () => {
  const seen: string[] = []
  await sh('printf "one\\r\\ntwo\\n\\nlast"; echo oops >&2', {
    onLine: (line: string, stream: string) => seen.push(`${stream}:${line}`),
  })
  expect(seen.filter((line) => line.startsWith('stdout'))).toEqual([
    'stdout:one',
    'stdout:two',
    'stdout:',
    'stdout:last',
  ])
  expect(seen).toContain('stderr:oops')
})

test('a character that arrives in two pieces is one character', async () => {
  const seen: string[] = []
  const result = await sh("printf '\\303'; sleep 0.1; printf '\\244\\n'", { onLine: (line: string) => seen.push(line) })
  expect(seen).toEqual(['ä'])
  expect(result.stdout).toBe('ä\n')
})

test('a line longer than the limit says how much is missing', async () => {
  const seen: string[] = []
  await sh('head -c 1000 /dev/zero | tr "\\0" y; echo; echo short', {
    maxLineBytes: 100,
    onLine: (line: string) => seen.push(line),
  })
  expect(seen).toEqual([`${'y'.repeat(100)}… [900 bytes of this line left out]`, 'short'])
})

test('an error of the one who reads the lines ends the program and is thrown, and nothing else is hit', async () => {
  const seen: string[] = []
  const reading = sh('echo one; echo two; exec sleep 300', {
    onLine: (line: string) => {
      seen.push(line)
      throw new Error(`cannot read ${line}`)
    },
  })
  await expect(reading).rejects.toThrow('cannot read one')
  expect(seen).toEqual(['one'])
})
