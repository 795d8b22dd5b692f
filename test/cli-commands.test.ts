import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openShell, type Ran, type Shell } from '../src/cli/testing/process.ts'
import { runProcess } from '../src/lib/process/run.ts'

/** The commands beside the road that `cli-loop.test.ts` takes, against a real server. The steps build on one another. */
let shell: Shell
let url: string
let work: string
let bob: { TRUEUP_URL: string; TRUEUP_TOKEN: string }

const run = (...args: string[]): Promise<Ran> => shell.run(args, { cwd: work })
const bobRuns = (...args: string[]): Promise<Ran> => shell.run(args, { cwd: work, env: bob })

/** Expects it to work, and gives what it printed. */
async function says(ran: Promise<Ran>): Promise<string> {
  const { code, out, err } = await ran
  expect(code, err).toBe(0)
  return out
}
const json = async (...args: string[]) => JSON.parse(await says(run(...args, '--output', 'json')))

async function git(...args: string[]): Promise<void> {
  const { exitCode, stderr } = await runProcess({ argv: ['git', ...args], cwd: work, env: shell.env })
  expect(exitCode, `git ${args.join(' ')}: ${stderr}`).toBe(0)
}

async function push(branch: string, files: { [path: string]: string }): Promise<void> {
  await git('fetch', '--quiet', 'origin')
  await git('switch', '--quiet', '--create', branch, 'origin/main')
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(work, path)), { recursive: true })
    await writeFile(join(work, path), text)
  }
  await git('add', '--all')
  await git('commit', '--quiet', '--message', branch)
  await git('push', '--quiet', '-o', 'mr', 'origin', 'HEAD')
}

const page = (stack: string): string => join(shell.home, 'srv', stack, 'index.html')
const config = (...stacks: string[]): string => `version: 1
environments:
  production: { tier: production, approvals: { required: 1 }, drift: { interval: 1h } }
stacks: [${stacks.map((name) => `{ path: ${name}, driver: files, labels: { part: ${name} }, with: { target: ${dirname(page(name))} } }`).join(', ')}]
`

beforeAll(async () => {
  shell = await openShell()
  ;({ url } = await shell.up(['--runner-slots', '2']))
  work = join(shell.home, 'shop')
  await mkdir(work)
  await says(run('repo', 'create', 'shop'))
  await says(run('user', 'add', 'bob', '--email', 'bob@example.org'))
  await says(run('member', 'set', 'shop', 'bob', 'deployer'))
  const token = (await says(run('token', 'create', '--user', 'bob', '--name', 'laptop'))).trim()
  bob = { TRUEUP_URL: url, TRUEUP_TOKEN: token }
  await git('init', '--quiet', '--initial-branch', 'main')
  const main = join(import.meta.dirname, '..', 'src', 'cli', 'main.ts')
  const helper = `!${process.execPath} --disable-warning=ExperimentalWarning ${main} git-credential`
  await git('config', `credential.${url}.helper`, helper)
  await writeFile(join(work, 'trueup.yaml'), config())
  await git('add', '.')
  await git('commit', '--quiet', '--message', 'Say the rules')
  await git('remote', 'add', 'origin', `${url}/git/shop.git`)
  await git('push', '--quiet', 'origin', 'main')
})
afterAll(() => shell.close())

describe('a merge request', { timeout: 300_000 }, () => {
  it('is talked about, by line and by thread', async () => {
    await push('pages', { 'trueup.yaml': config('web', 'old'), 'web/index.html': 'Hello\n', 'old/index.html': 'Old\n' })
    await says(run('mr', 'show', '1', '--wait'))
    await says(bobRuns('mr', 'comment', '1', 'Why?', '--file', 'web/index.html', '--line', '1'))
    const [comment] = (await json('mr', 'comments', '1')).filter(({ author }: { author: string }) => author === 'bob')
    await says(run('mr', 'comment', '1', 'Because', '--thread', comment.threadId))
    expect(await says(run('mr', 'comments', '1'))).toMatch(
      /bob, (?:now|\S+ \S+ ago) on web\/index.html:1 \[.+\]\nWhy\?[^]*Because/,
    )
    expect(await says(bobRuns('mr', 'resolve', '1', comment.threadId))).toBe(`Resolved ${comment.threadId}\n`)
    expect(await says(run('mr', 'comments', '1'))).toContain('on web/index.html:1 (resolved)')
  })

  it('is changed without a clone, and by what a comment suggests', async () => {
    const file = join(shell.home, 'notes.md')
    await writeFile(file, 'First\nSecnd\n')
    const { commit } = await json('mr', 'commit', '1', 'notes.md', '--from', file, '--message', 'Take notes')
    await expect.poll(async () => (await json('mr', 'show', '1')).head, { timeout: 180_000 }).toBe(commit)
    const words = 'A letter is missing:\n```suggestion\nSecond\n```'
    await says(bobRuns('mr', 'comment', '1', words, '--file', 'notes.md', '--line', '2'))
    const said = await says(run('mr', 'comments', '1'))
    const [, comment = ''] = /To apply it: trueup mr apply 1 (\S+)$/m.exec(said) ?? []
    expect(await says(run('mr', 'apply', '1', comment))).toMatch(/^Committed [0-9a-f]{10} to !1/)
    await git('fetch', '--quiet', 'origin', 'pages')
    await git('restore', '--source', 'FETCH_HEAD', 'notes.md')
    expect(await readFile(join(work, 'notes.md'), 'utf8')).toBe('First\nSecond\n')
    await rm(join(work, 'notes.md'))
    expect((await run('mr', 'commit', '1', 'notes.md')).err).toContain('--from')
    expect((await run('mr', 'commit', '1', 'notes.md', '--delete', '--head', commit)).err).toContain('MR_MOVED')
  })

  it('is refused, taken back, edited, closed, reopened and planned again', async () => {
    await says(bobRuns('mr', 'request-changes', '1', 'Not like this'))
    expect(await says(run('mr', 'show', '1'))).toContain('bob asks for changes: Not like this')
    await says(bobRuns('mr', 'withdraw', '1'))
    expect(await says(run('mr', 'show', '1'))).not.toContain('asks for changes')
    expect(await says(run('mr', 'edit', '1', '--title', 'Two pages', '--draft'))).toBe('!1 Two pages (draft)\n')
    expect(await says(run('mr', 'edit', '1', '--ready'))).toBe('!1 Two pages\n')
    expect(await says(run('mr', 'close', '1'))).toBe('!1 is closed\n')
    expect(await says(run('mr', 'reopen', '1'))).toBe('!1 is open\n')
    await says(run('mr', 'plan', '1'))
    await says(run('mr', 'show', '1', '--wait'))
    await says(bobRuns('mr', 'approve', '1'))
    await says(run('mr', 'merge', '1', '--wait'))
    expect(await readFile(page('web'), 'utf8')).toBe('Hello\n')
  })
})

describe('runs and stacks', { timeout: 300_000 }, () => {
  const waiting = async (): Promise<string> => {
    const found = async () => await json('run', 'list', '--state', 'awaiting_approval')
    await expect.poll(async () => (await found()).length, { timeout: 180_000 }).toBe(1)
    return (await found())[0].id
  }
  const ended = async (id: string) => (await run('run', 'watch', id, '--output', 'json')).json.state

  it('are listed and shown', async () => {
    const [deploy] = await json('run', 'list', '--kind', 'deploy')
    expect(await says(run('run', 'show', deploy.id))).toContain('succeeded')
    const log = (await says(run('run', 'logs', deploy.id))).split('\n')
    const stamped = (await says(run('run', 'logs', deploy.id, '--timestamps'))).split('\n')
    expect(stamped.map((line) => line.replace(/^20\d\d-\d\d-\d\dT[\d:.]{12}Z /, ''))).toEqual(log)
    expect(stamped.filter((line) => line.startsWith('20'))).toHaveLength(log.length - 1)
    expect((await says(run('stack', 'list', '--label', 'part=web'))).match(/^production\/\w+/gm)).toEqual([
      'production/web',
    ])
    expect(await says(run('stack', 'show', 'production/web'))).toMatch(/^owners, labels +part=web$/m)
    expect((await says(run('stack', 'list'))).match(/^production\/(old|web) +files +in_sync/gm)).toHaveLength(2)
    expect(await says(run('deployments', '--stack', 'production/web'))).toMatch(/production\/web +deploy +succeeded/)
  })

  it('wait for a person, who cancels, retries and approves', async () => {
    await push('second', { 'web/index.html': 'Hello, world\n' })
    await says(run('mr', 'show', '2', '--wait'))
    await says(bobRuns('mr', 'approve', '2'))
    await rm(page('web'))
    await says(run('mr', 'merge', '2'))
    const first = await waiting()
    expect(await says(run('run', 'cancel', first, '--reason', 'not now'))).toBe(`${first} is canceled\n`)
    const again = (await says(run('run', 'retry', first))).trim()
    expect(await waiting()).toBe(again)
    expect((await run('run', 'approve', again)).err).toContain('nobody approves their own change')
    await says(bobRuns('run', 'approve', again))
    expect(await ended(again)).toBe('succeeded')
    expect(await readFile(page('web'), 'utf8')).toBe('Hello, world\n')
  })

  it('are told with their parts and places, and what people are to know of their environment', async () => {
    expect(await says(run('stack', 'resources', 'production/web'))).toMatch(/index\.html +ok/)
    expect(await says(run('stack', 'places', 'production/web'))).toMatch(
      /^files:default:\S+\/srv\/web +production\/web/m,
    )
    expect(await says(run('stack', 'places', '--find', 'nowhere'))).not.toContain('production/')
    const args = ['checkout is slow', '--kind', 'incident', '--for', '1h']
    expect(await says(run('env', 'notice', 'production', ...args))).toContain('incident: checkout is slow')
    expect(await says(run('status'))).toContain('incident: checkout is slow')
    expect(await says(run('env', 'show', 'production'))).toContain('incident: checkout is slow')
    expect(await says(run('env', 'withdraw', 'production'))).toBe('Withdrawn: checkout is slow\n')
    expect((await run('env', 'withdraw', 'production')).err).toContain('it has none')
  })

  it('have states, whose versions come back and whose locks are opened', async () => {
    const { id } = await json('stack', 'show', 'production/web')
    const token = (await readFile(join(shell.env.TRUEUP_DATA!, 'admin.token'), 'utf8')).trim()
    const authorization = `Basic ${Buffer.from(`admin:${token}`).toString('base64')}`
    const ask = async (method: string, body: object, query = '') => {
      const address = `${url}/api/v1/state/${id}/default${query}`
      return (await fetch(address, { method, headers: { authorization }, body: JSON.stringify(body) })).status
    }
    expect(await says(run('state', 'show', 'production/web'))).toContain('Trueup keeps no state "default"')
    const lock = { ID: 'a-lock', Who: 'ada@laptop', Created: '2026-01-01T00:00:00Z' }
    expect(await ask('LOCK', lock)).toBe(200)
    for (const serial of [1, 2])
      expect(await ask('POST', { version: 4, serial, lineage: 'l', outputs: {}, resources: [] }, '?ID=a-lock')).toBe(
        200,
      )
    expect(await says(run('state', 'show', 'production/web'))).toContain('(lock a-lock)')
    const unlocked = run('state', 'unlock', 'production/web', '--lock', 'a-lock', '--reason', 'the laptop is lost')
    expect(await says(unlocked)).toBe('Unlocked the state of production/web\n')
    expect(await says(run('state', 'restore', 'production/web', '1'))).toBe(
      'Version 1 is current again, as version 3 with serial 3\n',
    )
    expect(await says(run('state', 'show', 'production/web'))).toMatch(/^not locked\n\nVERSION [^]*\n3 +3 /)
  })

  it('are forgotten, or removed by two people', async () => {
    await push('leave', { 'trueup.yaml': config() })
    await says(run('mr', 'show', '3', '--wait'))
    await says(bobRuns('mr', 'approve', '3'))
    await says(run('mr', 'merge', '3', '--wait'))
    await expect
      .poll(async () => (await json('stack', 'list', '--state', 'orphaned')).length, { timeout: 180_000 })
      .toBe(2)
    expect(await says(run('stack', 'forget', 'production/old', '--reason', 'a museum has it'))).toContain('Forgot')
    expect(await readFile(page('old'), 'utf8')).toBe('Old\n')
    await says(run('stack', 'remove', 'production/web', '--reason', 'nobody came'))
    const destroy = await waiting()
    await says(bobRuns('run', 'approve', destroy))
    expect(await ended(destroy)).toBe('succeeded')
    await expect(readFile(page('web'))).rejects.toThrow('ENOENT')
  })
})

describe('people and machines', { timeout: 300_000 }, () => {
  it('come and go', async () => {
    await says(run('team', 'create', 'web'))
    expect(await says(run('team', 'add', 'web', 'bob'))).toContain('bob')
    expect(await says(run('team', 'remove', 'web', 'bob'))).not.toContain('bob')
    const [token] = await json('token', 'list', '--user', 'bob')
    expect((await bobRuns('repo', 'list')).code).toBe(0)
    expect(await says(run('token', 'revoke', token.id))).toBe(`Revoked ${token.id}\n`)
    expect((await bobRuns('repo', 'list')).err).toContain('UNAUTHENTICATED')
    await says(run('member', 'remove', 'shop', 'bob'))
    expect(JSON.stringify(await json('member', 'list', 'shop'))).not.toContain('bob')
    await says(run('user', 'update', 'bob', '--disable'))
    expect((await json('user', 'list')).find(({ name }: { name: string }) => name === 'bob')).toMatchObject({
      disabledAt: expect.any(Number),
    })
    const [worker] = await json('worker', 'list')
    expect(await says(run('worker', 'revoke', worker.id))).toContain(worker.id)
    expect((await run('recover-admin')).err).toContain('DATA_LOCKED')
  })

  it('stand in the audit that is exported', async () => {
    const events = (await says(run('audit', 'export'))).trim().split('\n')
    const actions = events.map((line) => JSON.parse(line).action)
    expect(actions).toEqual(expect.arrayContaining(['repository.create', 'mr.merge', 'token.revoke']))
    const file = join(shell.home, 'audit.jsonl')
    await says(run('audit', 'export', '--file', file))
    expect((await readFile(file, 'utf8')).trim().split('\n').length).toBeGreaterThanOrEqual(events.length)
    expect((await run('audit', 'export', '--file', file)).err).toContain('the file exists')
  })
})
