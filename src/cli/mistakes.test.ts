import { once } from 'node:events'
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openShell, type Shell } from './testing/process.ts'

let shell: Shell
let plain: Server
let port: number

beforeAll(async () => {
  shell = await openShell()
  plain = createServer((_request, response) => response.end('hello')).listen(0, '127.0.0.1')
  await once(plain, 'listening')
  port = (plain.address() as { port: number }).port
})
afterAll(async () => {
  plain.close()
  await shell.close()
})

type Files = { [path: string]: string }
const HEAD = 'version: 1\nenvironments: { production: { tier: production }, staging: {} }\n'
const WEB: Files = {
  'trueup.yaml': `${HEAD}stacks:\n  - { path: web, driver: files, environments: [production], with: { target: /x } }\n`,
  'web/motd': 'x',
}
const stack = (...lines: string[]): Files => ({
  ...WEB,
  'trueup.yaml': `${HEAD}stacks:\n  - path: web\n${lines.map((line) => `    ${line}\n`).join('')}`,
})
const KUBERNETES = stack('driver: kubernetes', 'environments: [production]')

/** What people type and write wrongly, and parts of what they are told: place, cause, nearest right word. */
const MISTAKES: [title: string, files: Files, argv: string[], ...told: string[]][] = [
  ['no configuration', { 'web/motd': '' }, ['plan'], 'reading trueup.yaml in', 'trueup init'],
  ['another name of the file', { 'trueup.yml': HEAD }, ['validate'], 'git mv trueup.yml trueup.yaml'],
  ['a misspelt stack', WEB, ['plan', 'wbe'], 'the stack wbe', 'did you mean "web"?'],
  [
    'one stack of two that there is not',
    WEB,
    ['plan', 'web', 'nosuch'],
    'the stack nosuch',
    'there are production/web',
  ],
  ['a misspelt environment', WEB, ['plan', '--env', 'prodution'], 'did you mean "production"?'],
  ['an environment without stacks', WEB, ['validate', '--env', 'staging'], 'the environment staging', 'production'],
  [
    'a misspelt setting',
    stack('driver: files', 'environments: [production]', 'with:', '  targt: /x'),
    ['validate'],
    'line 8: with: unknown key "targt" (did you mean "target"?)',
    '8 |       targt: /x',
  ],
  [
    'a setting of the wrong kind',
    stack('driver: files', 'environments: [production]', 'with:', '  target: 7'),
    ['validate'],
    'line 8: with.target: must be text, not the number 7',
    '8 |       target: 7',
  ],
  [
    'a setting with one of several words',
    stack('driver: files', 'environments: [production]', 'with: { target: /x, prune: alll }'),
    ['validate'],
    'with.prune: must be none, listed or all, not "alll" (did you mean "all"?)',
  ],
  [
    'settings of a shape that there is not',
    stack('driver: command', 'environments: [production]', 'with: {}'),
    ['validate'],
    'either `plan` and `apply` (shell commands) or `executable` is needed',
  ],
  [
    'a misspelt driver',
    stack('driver: teraform', 'environments: [production]'),
    ['validate'],
    'line 5',
    'did you mean "terraform"?',
  ],
  [
    'a misspelt key',
    stack('driver: files', 'enviroments: [production]', 'with: { target: /x }'),
    ['validate'],
    'line 6',
    'did you mean "environments"?',
    '6 |     enviroments: [production]',
  ],
  [
    'an environment that a stack misspells',
    stack('driver: files', 'environments: [prodction]', 'with: { target: /x }'),
    ['validate'],
    'did you mean "production"?',
  ],
  [
    'a directory that there is not',
    { ...WEB, 'trueup.yaml': WEB['trueup.yaml']!.replace('path: web', 'path: wbe') },
    ['validate'],
    'there is no directory "wbe" (did you mean "web"?)',
  ],
  ['a tab', { ...WEB, 'trueup.yaml': `${HEAD}stacks:\n\t- path: web\n` }, ['validate'], 'line 4:1', 'CONFIG_SYNTAX'],
  [
    'several mistakes at once',
    stack('driver: files', 'environments: [production]', 'neds: [x]', 'with: { target: /x }', 'timeout: 5 minutes'),
    ['validate'],
    'and 1 more',
    '7 |     neds: [x]',
    '9 |     timeout: 5 minutes',
  ],
  [
    'several settings at once',
    stack('driver: files', 'environments: [production]', 'with: { targt: /x, prune: alll }'),
    ['validate'],
    'and 1 more',
    'with.prune: must be none',
    'with: unknown key "targt" (did you mean "target"?)',
  ],
  ['a misspelt command', WEB, ['statsu'], 'Did you mean status?'],
  ['a misspelt option', WEB, ['plan', '--verbos'], 'Did you mean --verbose?'],
  ['a number that is none', WEB, ['mr', 'show', 'seven'], '3 or !3'],
  ['a duration in words', WEB, ['mr', 'show', '7', '--wait', '10 minutes'], '10m'],
  ['a branch where there is no Git', {}, ['mr', 'diff', '--repo', 'shop'], 'is no Git repository', 'Give its number.'],
  ['an error code that there is not', WEB, ['explain', 'PLAN_STAL'], 'did you mean "PLAN_STALE"?'],
  ['a key that there is not', WEB, ['explain', 'trueup.yaml', 'stacks.input'], 'did you mean "inputs"?'],
  ['a kubeconfig that is not there', KUBERNETES, ['plan'], 'kubeconfig'],
]

describe('a mistake', () => {
  it.each(MISTAKES)('%s', async (_title, files, argv, ...told) => {
    const directory = await mkdtemp(join(shell.home, 'mistake-'))
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(directory, path)), { recursive: true })
      await writeFile(join(directory, path), text)
    }
    const { code, out, err } = await shell.run(argv, {
      cwd: directory,
      env: { TRUEUP_URL: `http://127.0.0.1:${port}` },
    })
    expect(code).toBe(1)
    for (const part of told) expect(`${out}${err}`).toContain(part)
    expect(`${out}${err}`).not.toMatch(/INTERNAL|Invalid input|^\s+at /m)
  })

  it('HTTPS where HTTP is spoken, and the other way round no line of OpenSSL', async () => {
    const { code, err } = await shell.run(['status'], { env: { TRUEUP_URL: `https://127.0.0.1:${port}` } })
    expect([code, err]).toEqual([1, expect.stringContaining('what listens there speaks HTTP and not HTTPS')])
  })
})
