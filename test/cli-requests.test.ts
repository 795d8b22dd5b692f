import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openShell, type Ran, type Shell } from '../src/cli/testing/process.ts'
import { runProcess } from '../src/lib/process/run.ts'
import { comesTrue } from './conformance/wait.ts'
import { describeWithTool } from './tools.ts'

const MAIN = join(import.meta.dirname, '..', 'src', 'cli', 'main.ts')
const CONFIG = `version: 1
environments:
  staging: { tier: development, drift: { interval: 1h } }
  production: { tier: production, approvals: { required: 1 }, drift: { interval: 1h } }
stacks:
  - { path: net, driver: terraform, environments: [staging, production], with: { tool: terraform } }
`
const CODE = `
resource "terraform_data" "a" { input = 1 }
resource "terraform_data" "b" { input = 2 }
output "id" { value = terraform_data.a.id }
`

describeWithTool('terraform', 'runs on request, by the command line, a server and a runner', () => {
  let shell: Shell
  let work: string
  let bob: { TRUEUP_URL: string; TRUEUP_TOKEN: string }

  const works = async (...args: string[]): Promise<Ran> => {
    const ran = await shell.run(args, { cwd: work })
    expect(ran.code, `trueup ${args.join(' ')}: ${ran.out}${ran.err}`).toBe(0)
    return ran
  }
  const json = async (...args: string[]) => (await works(...args, '--output', 'json')).json
  const git = async (...args: string[]): Promise<void> => {
    const { exitCode, stderr } = await runProcess({ argv: ['git', ...args], cwd: work, env: shell.env })
    expect(exitCode, `git ${args.join(' ')}: ${stderr}`).toBe(0)
  }
  const expectState = async (run: string, state: string): Promise<void> => {
    await comesTrue(async () => (await json('run', 'show', run)).state === state, `run ${run} is ${state}`, 60_000)
  }
  const idOf = async (environment: string): Promise<string> =>
    (await json('stack', 'show', `${environment}/net`)).outputs.id.value as string

  beforeAll(async () => {
    shell = await openShell()
    const { url } = await shell.up(['--runner-slots', '2'])
    work = join(shell.home, 'infra')
    await mkdir(work)
    await works('repo', 'create', 'infra')
    await works('user', 'add', 'bob', '--email', 'bob@example.org')
    await works('member', 'set', 'infra', 'bob', 'deployer')
    bob = { TRUEUP_URL: url, TRUEUP_TOKEN: (await works('token', 'create', '--user', 'bob', '--name', 'x')).out.trim() }
    const helper = `!${process.execPath} --disable-warning=ExperimentalWarning ${MAIN} git-credential`
    await git('config', '--global', `credential.${url}.helper`, helper)
    await git('init', '--quiet', '--initial-branch', 'main')
    for (const [path, text] of Object.entries({ 'trueup.yaml': CONFIG, 'net/main.tf': CODE })) {
      await mkdir(dirname(join(work, path)), { recursive: true })
      await writeFile(join(work, path), text)
    }
    await git('add', '.')
    await git('commit', '--quiet', '--message', 'Begin')
    await git('remote', 'add', 'origin', (await works('repo', 'show', 'infra', '--git-url')).out.trim())
    await git('push', '--quiet', 'origin', 'HEAD:refs/heads/main')
    for (const environment of ['staging', 'production']) {
      const run = await expectRun(environment)
      if (environment === 'production') {
        const approved = await shell.run(['run', 'approve', run], { cwd: work, env: bob })
        expect(approved.code, approved.err).toBe(0)
      }
      await expectState(run, 'succeeded')
    }
  })
  afterAll(() => shell.close())

  /** The deployment of the first push: it has ended, or waits. */
  async function expectRun(environment: string): Promise<string> {
    for (;;) {
      const runs = (await json('run', 'list', '--kind', 'deploy')) as { id: string; stack: string; state: string }[]
      const run = runs.find(({ stack }) => stack === `${environment}/net`)
      if (run && ['succeeded', 'awaiting_approval'].includes(run.state)) return run.id
      if (run?.state === 'failed') throw new Error((await works('run', 'log', run.id)).out)
    }
  }

  it('makes one resource anew where nobody has to be asked', async () => {
    const before = await idOf('staging')
    const ask = ['stack', 'deploy', 'staging/net', '--replace', 'terraform_data.a', '--reason', 'worn out', '--wait']
    const run = await json(...ask)
    expect(run).toMatchObject({ kind: 'heal', state: 'succeeded', request: { replaces: ['terraform_data.a'] } })
    expect(run.plan.changes).toContainEqual(
      expect.objectContaining({ address: 'terraform_data.a', actions: ['replace'], cause: 'config' }),
    )
    expect(await idOf('staging')).not.toBe(before)
    expect((await works('audit', 'list')).out).toContain('stack.run_requested')
    expect((await works('drift', 'check', 'staging/net', '--wait')).out).toContain('No drift.')
  })

  it('waits for somebody else in production, and refuses who asked', async () => {
    const ask = ['stack', 'deploy', 'production/net', '--target', 'terraform_data.a', '--replace', 'terraform_data.a']
    const { id } = await json(...ask, '--reason', 'worn out')
    const before = await idOf('production')
    await expectState(id, 'awaiting_approval')
    expect((await shell.run(['run', 'approve', id], { cwd: work })).err).toContain('the one who ordered it')
    expect((await shell.run(['run', 'approve', id], { cwd: work, env: bob })).code).toBe(0)
    await expectState(id, 'succeeded')
    expect(await idOf('production')).not.toBe(before)
  })

  it('lists, moves and removes what is in the state', async () => {
    expect((await works('state', 'list', 'staging/net')).out).toContain('terraform_data.a')
    const why = ['--reason', 'renamed', '--wait']
    await works('state', 'mv', 'staging/net', 'terraform_data.b', 'terraform_data.c', ...why)
    expect((await works('state', 'list', 'staging/net')).out).toMatch(/terraform_data\.c/)
    const removed = await works('state', 'rm', 'staging/net', 'terraform_data.c', ...why)
    expect(removed.out).toContain('succeeded')
    const { objects } = await json('state', 'list', 'staging/net')
    expect(objects.map(({ address }: { address: string }) => address)).toEqual(['terraform_data.a'])
    expect((await works('state', 'diff', 'staging/net')).out).toMatch(/removed +terraform_data\.c/)
    const unknown = await shell.run(['state', 'diff', 'staging/net', '99'], { cwd: work })
    expect([unknown.code, unknown.err]).toEqual([1, expect.stringContaining('there is no version 99')])
    const missing = await shell.run(['state', 'rm', 'staging/net', 'terraform_data.c', ...why], { cwd: work })
    expect([missing.code, missing.out + missing.err]).toEqual([1, expect.stringContaining('terraform_data.c')])
  })
})
