import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openShell, type Ran, type Shell } from '../src/cli/testing/process.ts'
import { runProcess } from '../src/lib/process/run.ts'

/**
 * The first own repository as the README walks it, by nothing but real processes: git, the command line and the server
 * that it started. The steps build on one another.
 */
let shell: Shell
let url: string
let work: string
let page: string
let bob: { TRUEUP_URL: string; TRUEUP_TOKEN: string }

const MAIN = join(import.meta.dirname, '..', 'src', 'cli', 'main.ts')

async function trueup(...args: string[]): Promise<Ran> {
  return await shell.run(args, { cwd: work })
}

/** Expects it to work, and gives what it printed. */
async function works(...args: string[]): Promise<Ran> {
  const ran = await trueup(...args)
  expect(ran.code, `trueup ${args.join(' ')}: ${ran.err}`).toBe(0)
  return ran
}

const json = async (...args: string[]) => (await works(...args, '--output', 'json')).json
const asBob = (...args: string[]) => shell.run(args, { cwd: work, env: bob })

async function git(...args: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await runProcess({ argv: ['git', ...args], cwd: work, env: shell.env })
  expect(exitCode, `git ${args.join(' ')}: ${stderr}`).toBe(0)
  return stdout + stderr
}

async function write(files: { [path: string]: string }): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(work, path)), { recursive: true })
    await writeFile(join(work, path), text)
  }
}

const config = (mode: string, stacks: string): string => `version: 1
environments:
  production:
    tier: production
    approvals: { required: 1 }
    drift: { mode: ${mode}, interval: 1h }
${stacks}
`
const withWeb = (mode: string): string =>
  config(mode, `stacks:\n  - path: web\n    driver: files\n    with: { target: ${dirname(page)}, prune: listed }`)

beforeAll(async () => {
  shell = await openShell()
  ;({ url } = await shell.up(['--runner-slots', '2']))
  work = join(shell.home, 'shop')
  page = join(shell.home, 'srv', 'index.html')
  await mkdir(work)
})
afterAll(() => shell.close())

describe('the first own repository', { timeout: 300_000 }, () => {
  it('is made, with a way in for git and a second person', async () => {
    expect((await works('repo', 'create', 'shop')).out.trim()).toBe(`${url}/git/shop.git`)
    const helper = `!${process.execPath} --disable-warning=ExperimentalWarning ${MAIN} git-credential`
    await git('config', '--global', `credential.${url}.helper`, helper)
    await works('user', 'add', 'bob', '--email', 'bob@example.org')
    await works('member', 'set', 'shop', 'bob', 'contributor')
    const token = (await works('token', 'create', '--user', 'bob', '--name', 'laptop')).out.trim()
    bob = { TRUEUP_URL: url, TRUEUP_TOKEN: token }
  })

  it('takes one push to its protected branch', async () => {
    await git('init', '--quiet', '--initial-branch', 'main')
    await write({ 'trueup.yaml': config('observe', 'stacks: []') })
    await git('add', '.')
    await git('commit', '--quiet', '--message', 'Say the rules')
    await git('remote', 'add', 'origin', (await works('repo', 'show', 'shop', '--git-url')).out.trim())
    await git('push', 'origin', 'HEAD:refs/heads/main')
    expect(await json('env', 'list')).toMatchObject([
      { name: 'production', approvals: { required: 1 }, deployments: { open: true } },
    ])
  })

  it('plans uncommitted work, then the merge request of a push', async () => {
    await git('switch', '--quiet', '--create', 'first-page')
    await write({ 'web/index.html': 'Hello\n', 'trueup.yaml': withWeb('observe') })
    await works('validate')
    const plan = await trueup('plan')
    expect([plan.code, plan.out]).toEqual([2, expect.stringContaining('index.html')])
    await git('add', '.')
    await git('commit', '--quiet', '--message', 'Publish the first page')
    expect(await git('push', 'origin', 'HEAD')).toContain('to open a merge request for first-page')
    expect((await works('mr', 'create', '--title', 'Publish the first page')).out).toBe('!1 Publish the first page\n')
    const { out } = await works('mr', 'show', '1', '--wait', '--plan')
    expect(out).toContain('production/web')
    expect(out).toContain('Missing:\n  production: ')
  })

  it('names the merge request that a further push updates', async () => {
    await git('commit', '--quiet', '--allow-empty', '--message', 'Nothing more')
    expect(await git('push', 'origin', 'HEAD')).toContain('Trueup: !1 is updated: trueup mr show 1')
    expect((await json('mr', 'show', '1', '--wait')).planned).toBe(true)
  })

  it('means the merge request of the branch here where no number is given, and brings one here', async () => {
    expect((await json('mr', 'commits')).map(({ message }: { message: string }) => message.trim())).toEqual([
      'Nothing more',
      'Publish the first page',
    ])
    expect((await works('mr', 'diff')).out).toContain('+++ web/index.html')
    expect((await works('completion-values', 'mr')).out).toBe('1\n')
    expect((await works('completion-values', 'environment')).out).toBe('production\n')
    await git('switch', '--quiet', 'main')
    const none = await trueup('mr', 'diff')
    expect([none.code, none.err]).toEqual([1, expect.stringContaining('the open merge request of branch main')])
    await git('branch', '--quiet', '--delete', '--force', 'first-page')
    expect((await works('mr', 'checkout', '1')).out).toMatch(/^On first-page at [0-9a-f]{10}\n$/)
    await git('reset', '--quiet', '--hard', 'HEAD^')
    await works('mr', 'checkout', '1')
    expect(await git('log', '-1', '--format=%s')).toBe('Nothing more\n')
  })

  it('merges nothing unapproved, and what is approved is deployed', async () => {
    const early = await trueup('mr', 'merge', '1', '--output', 'json')
    expect([early.code, early.out, JSON.parse(early.err).code]).toEqual([1, '', 'MR_BLOCKED'])
    const approved = await asBob('mr', 'approve')
    expect([approved.code, approved.out]).toEqual([0, expect.stringContaining('Ready to merge.')])
    const merged = await works('mr', 'merge', '1', '--wait')
    expect(merged.out).toBe('production/web: succeeded\n')
    expect(merged.err).toContain('Merged !1')
    expect(await readFile(page, 'utf8')).toBe('Hello\n')
    const status = await works('status')
    expect(status.out).toMatch(/^production: 1 in sync\n\nSTACK /)
    const [row] = await json('stack', 'list')
    expect([row.state, row.deployed.digest]).toEqual(['in_sync', row.desired.digest])
    expect((await works('run', 'list', '--kind', 'deploy')).out).toContain('succeeded')
  })

  it('finds drift, says so with its exit code, and heals it', async () => {
    expect((await works('drift', 'check', 'production/web', '--wait')).out).toContain('No drift.')
    await writeFile(page, 'Defaced\n')
    const check = await trueup('drift', 'check', '--environment', 'production', '--wait', '--output', 'json')
    expect([check.code, check.json.drift]).toEqual([2, [expect.objectContaining({ stack: 'production/web' })]])
    expect((await works('drift', 'list')).out).toContain('index.html')
    expect((await works('stack', 'show', 'production/web')).out).toContain('Recent drift')
    const accepted = await json('drift', 'accept', check.json.drift[0].id, '--reason', 'a joke', '--for', '1h')
    expect(accepted.state).toBe('accepted')
    expect((await works('drift', 'check', 'production/web', '--wait')).out).toContain('No drift.')
    // Another value than the accepted one is drift again.
    await writeFile(page, 'Defaced again\n')
    expect((await trueup('drift', 'check', 'production/web', '--wait')).code).toBe(2)
    const healed = await works('drift', 'heal', 'production/web', '--wait')
    expect(healed.out).toMatch(/^run_\w+ {2}production\/web: succeeded/)
    expect(await readFile(page, 'utf8')).toBe('Hello\n')
    const codified = await works('drift', 'codify', 'production/web', '--wait')
    expect(codified.out).toBe('No drift.\n')
  })

  it('follows a change of which only a part may go on', async () => {
    await works('env', 'freeze', 'production', '--reason', 'a party', '--for', '1h')
    expect((await works('env', 'show', 'production')).out).toContain('a party')
    await git('fetch', '--quiet', 'origin')
    await git('switch', '--quiet', '--create', 'second-page', 'origin/main')
    await write({ 'web/index.html': 'Broken\n' })
    await git('commit', '--quiet', '--all', '--message', 'Change the page')
    expect(await git('push', '-o', 'mr', 'origin', 'HEAD')).toContain('is being opened')
    // Right after the push, when it may not be there yet, and without knowing its number.
    expect((await works('mr', 'show', '--wait')).out).toMatch(/^!2 /)
    expect((await asBob('mr', 'approve', '2')).code).toBe(0)
    const held = await trueup('mr', 'merge', '2', '--wait', '2s')
    expect([held.code, held.err]).toEqual([1, expect.stringContaining('TIMED_OUT')])
    expect((await works('status')).out).toContain('deployments are held back')
    await works('env', 'unfreeze', 'production')
    const [run] = await json('run', 'list', '--mr', '2', '--kind', 'deploy')
    const watched = await works('run', 'watch', run.id)
    expect(watched.err).toContain('production/web: succeeded')
    expect(await readFile(page, 'utf8')).toBe('Broken\n')
  })

  it('is rolled back by one command, once somebody agrees', async () => {
    const waiting = trueup('rollback', '--stack', 'production/web', '--reason', 'the page is broken', '--wait')
    await expect.poll(async () => (await asBob('mr', 'show', '3', '--wait')).code, { timeout: 180_000 }).toBe(0)
    expect((await asBob('mr', 'approve', '3')).out).toContain('it is merged by itself now')
    const { code, out, err } = await waiting
    expect([code, out], err).toEqual([0, 'production/web: succeeded\n'])
    expect(await readFile(page, 'utf8')).toBe('Hello\n')
    const [entry] = await json('stack', 'quarantine')
    expect(entry).toMatchObject({ stack: 'production/web', reason: 'the page is broken' })
    expect((await works('stack', 'unquarantine', entry.id, '--reason', 'it was the network')).out).toContain('again')
  })

  it('says once, and in words, why a plan could not be made', async () => {
    const why = 'the pump in the cellar does not answer, and nobody knows where the key is'
    await git('fetch', '--quiet', 'origin')
    await git('switch', '--quiet', '--create', 'pump', 'origin/main')
    const stack = `  - path: pump\n    driver: command\n    with: { plan: "echo '${why}' >&2; exit 3", apply: "true" }\n`
    await write({ 'trueup.yaml': `${withWeb('observe').trimEnd()}\n${stack}`, 'pump/README': 'a pump\n' })
    await git('add', '.')
    await git('commit', '--quiet', '--message', 'Add a pump')
    await git('push', '-o', 'mr', 'origin', 'HEAD')
    const { code, out } = await trueup('mr', 'show', '4', '--wait')
    expect(code).toBe(1)
    expect((await trueup('mr', 'show', '4')).code).toBe(0)
    expect(out).toMatch(/^production\/pump +added +- +failed +-$/m)
    expect(out).toContain('production/pump could not be planned:\n  ')
    expect(out.replaceAll(/\s+/g, ' ').split(why)).toHaveLength(2)
    expect(out).toContain('production: plans, see above')
    expect((await works('mr', 'close', '4')).out).toBe('!4 is closed\n')
  })

  it('shows in red who merged past the gate', async () => {
    await git('switch', '--quiet', '--create', 'urgent', 'origin/main')
    await write({ 'web/index.html': 'Urgent\n' })
    await git('commit', '--quiet', '--all', '--message', 'Hurry')
    await git('push', '-o', 'mr', 'origin', 'HEAD')
    await works('mr', 'show', '5', '--wait')
    await works('mr', 'merge', '5', '--bypass', 'incident 42', '--wait')
    const coloured = (...args: string[]) => shell.run(args, { cwd: work, env: { FORCE_COLOR: '1' } })
    const red = (text: string) => `\u001b[31m${text}\u001b[39m`
    expect((await coloured('mr', 'show', '5')).out).toContain(
      red('BYPASSED  admin merged it past its gate: incident 42'),
    )
    expect((await coloured('audit', 'list')).out).toContain(red('mr.merge_bypassed'))
    expect((await coloured('audit', 'list')).out).not.toContain(red('mr.approve'))
  })

  it('keeps variables to itself', async () => {
    const set = await shell.run(['variable', 'set', 'TOKEN', '--stack', 'production/web'], {
      cwd: work,
      input: 'hunter2-hunter2\n',
    })
    expect([set.code, set.out]).toEqual([0, 'Set TOKEN for production/web, version 1\n'])
    const listed = await works('variable', 'list', '--output', 'json')
    expect(listed.json).toMatchObject([{ name: 'TOKEN', environment: 'production', stack: 'web', secret: true }])
    expect(listed.out).not.toContain('hunter2')
    const wrong = await trueup('variable', 'delete', 'TOKEN')
    expect([wrong.code, wrong.err]).toEqual([1, expect.stringContaining('only one for production/web')])
    await works('variable', 'delete', 'TOKEN', '--stack', 'production/web')
  })

  it('has it all in a chain that holds', async () => {
    const approvals = await json('audit', 'list', '--action', 'mr.approve', '--actor', 'bob')
    expect(approvals[0]).toMatchObject({ actor: expect.stringMatching(/^user:user_/), actorName: 'bob' })
    expect((await works('audit', 'list', '--action', 'mr.merge')).out).toMatch(/ admin +mr\.merge /)
    expect((await works('audit', 'verify')).out).toMatch(/^The chain of \d+ events is whole/)
    const verdict = await json('audit', 'verify')
    expect(verdict).toMatchObject({ ok: true, count: expect.any(Number) })
  })
})

describe('a runner on another machine', { timeout: 300_000 }, () => {
  it('joins by the token that enrol prints, works, and stops when it is told', async () => {
    const token = join(shell.home, 'token')
    await writeFile(token, (await works('worker', 'enrol', '--pools', 'edge')).out)
    const argv = ['runner', '--server', url, '--token-file', token, '--pools', 'edge']
    const isConnected = async () =>
      (await json('worker', 'list')).some((row: { pools: string[]; connected: boolean }) => {
        return row.pools.includes('edge') && row.connected
      })
    // The token is needed for the first start only: the second one finds its file gone.
    for (const before of [null, token]) {
      if (before !== null) await rm(before)
      const runner = shell.start([...argv, '--data', join(shell.home, 'edge')], { env: { TRUEUP_LOG_LEVEL: 'warn' } })
      const ended = new Promise<number | null>((resolve) => runner.once('close', resolve))
      await expect.poll(isConnected, { timeout: 180_000 }).toBe(true)
      runner.kill('SIGINT')
      expect(await ended).toBe(0)
      await expect.poll(isConnected, { timeout: 180_000 }).toBe(false)
    }
  })

  it('says why it cannot join', async () => {
    const token = join(shell.home, 'used')
    await writeFile(token, 'tue_nothing')
    const args = ['runner', '--server', url, '--token-file', token, '--data', join(shell.home, 'refused')]
    const { code, err } = await shell.run(args)
    expect([code, err]).toEqual([1, expect.stringContaining('UNAUTHENTICATED')])
    await rm(token)
    const without = await shell.run(args)
    expect([without.code, without.err]).toEqual([1, expect.stringContaining('in a file that is there')])
  })
})
