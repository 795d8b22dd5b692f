import { chmod, mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { runProcess } from '../lib/process/run.ts'
import { openShell, type Ran, type Shell } from './testing/process.ts'

let shell: Shell
let repository: string
let count = 0

beforeAll(async () => {
  shell = await openShell()
})
afterAll(() => shell.close())
beforeEach(async () => {
  repository = join(shell.home, `repository-${++count}`)
  await mkdir(repository)
  await git('init', '-q', '-b', 'main')
})

const git = (...args: string[]) => runProcess({ argv: ['git', ...args], cwd: repository, env: shell.env })
const run = (...args: string[]): Promise<Ran> => shell.run(args, { cwd: repository })
async function write(files: Record<string, string>): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(repository, path)), { recursive: true })
    await writeFile(join(repository, path), content)
  }
}
const config = (target: string, more = '') => `version: 1
environments: { production: { tier: production }, staging: { tier: staging } }
stacks:
  - { path: web, driver: files, environments: [production], with: { target: ${target} } }
${more}`

describe('plan', () => {
  it('plans uncommitted work against the live state, and says with 2 that there are changes', async () => {
    const target = join(repository, '..', `target-${count}`)
    await mkdir(target)
    await write({ 'trueup.yaml': config(target), 'web/motd': 'hello\n' })
    const first = await run('plan', '-o', 'json')
    expect(first.code).toBe(2)
    expect(first.json.stacks).toMatchObject([{ stack: 'production/web', plan: { summary: { create: 1 } } }])
    await writeFile(join(target, 'motd'), 'hello\n', { mode: 0o644 })
    await chmod(join(target, 'motd'), 0o644)
    const second = await run('plan')
    expect([second.code, second.out]).toEqual([0, expect.stringContaining('production/web')])
    await write({ 'web/motd': 'changed\n' })
    const third = await run('plan', 'web')
    expect([third.code, third.out]).toEqual([2, expect.stringMatching(/motd.*\(update\)/)])
    expect(await readFile(join(target, 'motd'), 'utf8')).toBe('hello\n')
    expect((await git('status', '--short', '--ignored')).stdout).toBe('?? trueup.yaml\n?? web/\n')
  })

  it('leaves out what .gitignore names', async () => {
    const target = join(repository, '..', `target-${count}`)
    await mkdir(target)
    await write({ 'trueup.yaml': config(target), 'web/motd': 'x', 'web/build.log': 'x', '.gitignore': '*.log\n' })
    expect((await run('plan')).out).not.toContain('build.log')
  })

  it('tells of one broken stack and plans the others', async () => {
    const broken =
      '  - { path: bad, driver: command, environments: [staging], with: { plan: "exit 3", apply: "true" } }\n'
    const target = join(repository, '..', `target-${count}`)
    await mkdir(target)
    await write({ 'trueup.yaml': config(target, broken), 'web/motd': 'x', 'bad/x': '' })
    const { code, json } = await run('plan', '-o', 'json')
    expect(code).toBe(1)
    expect(
      json.stacks.map(({ stack, error }: { stack: string; error?: object }) => [stack, error !== undefined]),
    ).toEqual([
      ['production/web', false],
      ['staging/bad', true],
    ])
  })

  it('asks for the value of an input that only a deployment knows', async () => {
    const needs =
      '  - { path: app, driver: files, environments: [production], inputs: { key: web.secret }, with: { target: /nowhere } }\n'
    await write({ 'trueup.yaml': config('/nowhere', needs), 'web/motd': 'x', 'app/x': '' })
    const { code, err, out } = await run('plan', 'app')
    expect([code, out + err]).toEqual([1, expect.stringContaining('--input key=VALUE')])
  })

  it('names the stacks there are', async () => {
    await write({ 'trueup.yaml': config('/x'), 'web/motd': 'x' })
    const { code, err } = await run('plan', 'wbe')
    expect([code, err]).toEqual([1, expect.stringContaining('there are production/web')])
  })
})

describe('validate', () => {
  it('accepts what is right', async () => {
    await write({ 'trueup.yaml': config('/srv/web'), 'web/motd': 'x' })
    expect((await run('validate', '-o', 'json')).json).toMatchObject({ ok: true, stacks: ['production/web'] })
    expect((await run('validate', '--tools')).code).toBe(0)
  })

  it.each([
    ['no file', {}, 'CONFIG_MISSING', ''],
    [
      'a misspelt key',
      { 'trueup.yaml': 'version: 1\nenviroments: {}\nstacks: []\n' },
      'CONFIG_INVALID',
      'environments',
    ],
    ['broken YAML', { 'trueup.yaml': 'version: [1\n' }, 'CONFIG_SYNTAX', 'line '],
    [
      'a driver that there is not',
      { 'trueup.yaml': config('/x').replace('files', 'flies'), 'web/x': '' },
      'CONFIG_INVALID',
      'did you mean "files"?',
    ],
    [
      'a setting that the driver does not know',
      { 'trueup.yaml': config('/x').replace('target', 'traget'), 'web/x': '' },
      'CONFIG_INVALID',
      'production/web: line 4: with: unknown key "traget" (did you mean "target"?)',
    ],
    [
      'one more setting than the driver knows',
      { 'trueup.yaml': config('/x, exlude: []'), 'web/x': '' },
      'CONFIG_INVALID',
      'production/web: line 4: with: unknown key "exlude" (did you mean "exclude"?)',
    ],
  ])('refuses %s, with its place', async (_what, files, code, text) => {
    await write(files as Record<string, string>)
    const ran = await run('validate')
    expect(ran.code).toBe(1)
    expect(ran.err).toContain(`(${code})`)
    expect(ran.err).toContain(text)
  })

  it('goes on after a stack that a tool refuses, and says what to do about each', async () => {
    const broken = (name: string) => `  - { path: ${name}, driver: terraform, environments: [staging] }\n`
    await write({ 'trueup.yaml': config('/x', broken('one') + broken('two')), 'web/x': '' })
    for (const name of ['one', 'two']) await write({ [`${name}/main.tf`]: 'module "x" {\n  source = "../../x"\n}\n' })
    const ran = await run('validate', '-o', 'json')
    expect(ran.code).toBe(1)
    expect(ran.json).toMatchObject({
      ok: false,
      findings: ['staging/one', 'staging/two'].map((stack) => ({ stack, code: 'PATH_OUTSIDE', severity: 'error' })),
    })
    expect((await run('validate')).out).toMatch(/error staging\/two: .*\n {2}Use a path inside the repository/)
  })

  it('refuses a link out of the repository, as a run on the server would', async () => {
    await write({ 'trueup.yaml': config('/x'), 'web/motd': 'x' })
    await symlink('motd', join(repository, 'web', 'inside'))
    expect((await run('validate')).code).toBe(0)
    await symlink('/etc/passwd', join(repository, 'web', 'outside'))
    const { code, json } = await run('validate', '-o', 'json')
    expect([code, json.findings]).toEqual([
      1,
      [expect.objectContaining({ code: 'PATH_OUTSIDE', message: expect.stringContaining('web/outside') })],
    ])
  })

  it('warns of a trueup.yaml that .gitignore keeps out of every commit, until it is added all the same', async () => {
    await write({ 'trueup.yaml': config('/x'), 'web/motd': 'x', '.gitignore': '*\n!web\n!web/**\n' })
    const ran = await run('validate', '-o', 'json')
    expect([ran.code, ran.json.findings]).toEqual([
      0,
      [{ severity: 'warning', path: 'trueup.yaml', message: expect.stringContaining('git add --force trueup.yaml') }],
    ])
    await git('add', '--force', 'trueup.yaml')
    expect((await run('validate', '-o', 'json')).json.findings).toEqual([])
  })

  it.each(['validate', 'init'])('%s says of a directory that is not there just that', async (command) => {
    const { code, err } = await run(command, 'infar')
    expect([code, err]).toEqual([1, expect.stringMatching(/infar: there is no such directory/)])
    expect(err).not.toContain('`path:`')
  })

  it('works from a directory below, and where there is no Git', async () => {
    await write({ 'trueup.yaml': config('/x'), 'web/deep/motd': 'x' })
    expect((await shell.run(['validate'], { cwd: join(repository, 'web', 'deep') })).code).toBe(0)
    const { rm } = await import('node:fs/promises')
    await rm(join(repository, '.git'), { recursive: true })
    expect((await shell.run(['validate'], { cwd: join(repository, 'web', 'deep') })).code).toBe(0)
  })
})

describe('init', () => {
  it('proposes what drivers recognise, as a file that validates', async () => {
    await write({
      'infra/main.tf': 'terraform {\n  backend "local" {}\n}\nresource "terraform_data" "x" {}\n',
      'hosts/web/etc/motd': 'x',
    })
    const printed = await run('init', '--print', '--env', 'staging', 'production')
    expect(printed.out).toContain('path: infra')
    expect((await git('status', '--short')).stdout).not.toContain('trueup.yaml')
    expect((await run('init', '--yes')).code).toBe(0)
    expect((await run('validate')).code).toBe(0)
    const again = await run('init', '--yes')
    expect([again.code, again.err]).toEqual([1, expect.stringContaining('CONFLICT')])
  })

  it('does not write over a file that .gitignore names', async () => {
    await write({ 'trueup.yaml': 'mine\n', '.gitignore': '*\n' })
    const { code, err } = await run('init')
    expect([code, err]).toEqual([1, expect.stringContaining('(CONFLICT)')])
    expect(await readFile(join(repository, 'trueup.yaml'), 'utf8')).toBe('mine\n')
  })

  it('writes without a terminal to ask at, and an example where it recognises nothing', async () => {
    await write({ README: 'x' })
    expect((await run('init')).code).toBe(0)
    expect((await run('validate')).code).toBe(0)
  })
})

describe('import', () => {
  it('writes what another tool is told, as a file that validates, and says what has no equal', async () => {
    await write({
      'atlantis.yaml': 'version: 3\nprojects: [{ name: net-prod, dir: net, workspace: prod }]\nautomerge: true\n',
      'net/main.tf': 'terraform {\n  backend "local" {}\n}\n',
    })
    expect((await run('import', '--print', '-o', 'json')).json).toMatchObject({
      from: [{ tool: 'atlantis', files: ['atlantis.yaml'] }],
      stacks: [{ path: 'net', name: 'net-prod', inactive: null }],
      noEqual: [{ path: 'atlantis.yaml' }],
    })
    const { code, err } = await run('import')
    expect([code, err]).toEqual([0, expect.stringContaining('Without an equal here')])
    expect((await run('validate')).code).toBe(0)
    expect((await run('import')).err).toContain('(CONFLICT)')
  })

  it('says where to go on where no other tool is told anything', async () => {
    await write({ README: 'x' })
    const { code, err } = await run('import')
    expect([code, err]).toEqual([1, expect.stringContaining('trueup init')])
  })
})
