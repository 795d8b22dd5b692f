import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runProcess } from '../lib/process/run.ts'
import { openShell, type Shell } from './testing/process.ts'

let shell: Shell
beforeAll(async () => {
  shell = await openShell()
})
afterAll(() => shell.close())

describe('the command line', () => {
  it('suggests the command that was meant', async () => {
    const { code, err } = await shell.run(['validat'])
    expect([code, err]).toEqual([1, expect.stringContaining('Did you mean validate?')])
  })

  it.each([[['--help']], [['user', '--help']], [['token', 'create', '--help']]])('helps: %j', async (args) => {
    const { code, out, err } = await shell.run(args)
    expect([code, err]).toEqual([0, ''])
    expect(out).toContain('Usage: trueup')
  })

  it.each([[[]], [['mr']]])('shows what there is to a line without a command: %j', async (args) => {
    const { code, out, err } = await shell.run(args)
    expect([code, out]).toEqual([1, ''])
    expect(err).toContain('Commands:')
  })

  it('refuses an output format that there is not', async () => {
    const { code, err } = await shell.run(['version', '-o', 'xml'])
    expect([code, err]).toEqual([1, expect.stringContaining('Allowed choices are text, json')])
  })

  it.each([[['version', '--nope']], [['nope']], [['mr', 'show', 'x']], [['repo', 'create']]])(
    'tells a program in JSON what is wrong with its line: %j',
    async (args) => {
      const { code, out, err } = await shell.run(['--output', 'json', ...args])
      expect([code, out]).toEqual([1, ''])
      expect(JSON.parse(err)).toMatchObject({ code: 'INVALID_REQUEST', doing: 'reading the command line' })
      expect((await shell.run([...args, '-o', 'text'])).err).toMatch(/^error: /)
    },
  )

  it('does not mind a reader that goes away', async () => {
    const script = `set -o pipefail; "$0" --disable-warning=ExperimentalWarning "$1" completion bash | head -c 10 >/dev/null`
    const argv = ['bash', '-c', script, process.execPath, join(import.meta.dirname, 'main.ts')]
    const { exitCode, stderr } = await runProcess({ argv, env: shell.env, timeoutMs: 180_000 })
    expect([exitCode, stderr]).toEqual([0, ''])
  })

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('ends what waits on %s, in words', async (signal, code) => {
    let asked = (): void => {}
    const waiting = new Promise<void>((resolve) => (asked = resolve))
    const silent = createServer(() => asked()).listen(0, '127.0.0.1')
    await once(silent, 'listening')
    const { port } = silent.address() as { port: number }
    const child = shell.start(['whoami'], { env: { TRUEUP_URL: `http://127.0.0.1:${port}`, TRUEUP_TOKEN: 'tut_x' } })
    const said = text(child.stderr!)
    await waiting
    child.kill(signal)
    expect(await once(child, 'close')).toEqual([code, null])
    expect(await said).toContain('it was interrupted')
    silent.closeAllConnections()
    silent.close()
  })

  it('says its version without a server', async () => {
    const { code, json } = await shell.run(['version', '-o', 'json'], { env: { TRUEUP_URL: 'http://127.0.0.1:9' } })
    expect([code, json]).toEqual([0, { trueup: expect.any(String), node: process.versions.node, server: null }])
  })

  it('examines the machine', async () => {
    const { code, json } = await shell.run(['doctor', '-o', 'json'])
    expect([code, json.ok]).toEqual([0, true])
    expect(json.checks.map(({ name }: { name: string }) => name)).toEqual(
      expect.arrayContaining(['node', 'git', 'data', 'server']),
    )
    const without = await shell.run(['doctor', '-o', 'json'], { env: { PATH: '/nowhere' } })
    expect([without.code, without.json.ok]).toEqual([1, false])
  })
})

describe('completion', () => {
  it('of bash completes commands at every depth, and options', async () => {
    const { out } = await shell.run(['completion', 'bash'])
    const file = join(shell.home, 'completion.bash')
    await writeFile(file, out)
    const complete = async (...words: string[]): Promise<string[]> => {
      const script = `source ${file}; COMP_WORDS=("$@"); COMP_CWORD=$((\${#COMP_WORDS[@]}-1)); _trueup; printf '%s\\n' "\${COMPREPLY[@]}"`
      const { stdout } = await runProcess({ argv: ['bash', '-c', script, 'bash', ...words], env: shell.env })
      return stdout.split('\n').filter((word) => word !== '')
    }
    expect(await complete('trueup', 'val')).toEqual(['validate'])
    expect(await complete('trueup', 'user', '')).toEqual(expect.arrayContaining(['add', 'list', 'update']))
    expect(await complete('trueup', 'user', 'add', '--em')).toEqual(['--email'])
    expect(await complete('trueup', 'version', '-o', 'j')).toEqual(['json'])
    // Names come from the program itself, called by the name that people have it under.
    const program = join(shell.home, 'trueup')
    await writeFile(program, '#!/bin/sh\necho "$2"-one "$2"-two\n', { mode: 0o755 })
    const env = { ...shell.env, PATH: `${shell.home}:${shell.env['PATH']}` }
    const named = async (...words: string[]): Promise<string> => {
      const script = `source ${file}; COMP_WORDS=("$@"); COMP_CWORD=$((\${#COMP_WORDS[@]}-1)); _trueup; echo "\${COMPREPLY[@]}"`
      return (await runProcess({ argv: ['bash', '-c', script, 'bash', ...words], env })).stdout.trim()
    }
    expect(await named('trueup', 'mr', 'approve', '')).toBe('mr-one mr-two')
    expect(await named('trueup', 'stack', 'show', 'stack-t')).toBe('stack-two')
    expect(await named('trueup', 'plan', '')).toBe('local-stack-one local-stack-two')
    expect(await named('trueup', 'drift', 'list', '--stack', '')).toBe('stack-one stack-two')
    expect(await named('trueup', 'drift', 'list', '--repo', '')).toBe('repository-one repository-two')
  })

  it('lists what there is, and nothing where that cannot be known', async () => {
    const values = (kind: string) =>
      shell.run(['completion-values', kind], { env: { TRUEUP_URL: 'http://127.0.0.1:9' } })
    expect(await values('stack')).toMatchObject({ code: 0, out: '', err: '' })
    await writeFile(
      join(shell.home, 'trueup.yaml'),
      'version: 1\nenvironments: { one: {} }\nstacks: [{ path: web, driver: terraform }]\n',
    )
    await mkdir(join(shell.home, 'web'), { recursive: true })
    await writeFile(join(shell.home, 'web', 'main.tf'), '')
    expect((await values('local-stack')).out).toBe('one/web\n')
  })

  it.each(['zsh', 'fish'])('of %s names every command', async (name) => {
    const { code, out } = await shell.run(['completion', name])
    expect(code).toBe(0)
    for (const word of ['validate', 'whoami', 'enrol', 'doctor']) expect(out).toContain(word)
  })

  it('of another shell is refused with those there are', async () => {
    const { code, err } = await shell.run(['completion', 'tcsh'])
    expect([code, err]).toEqual([1, expect.stringContaining('bash, zsh, fish')])
  })
})
