import { cp, mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openShell, type Ran, type Shell } from '../src/cli/testing/process.ts'
import { runProcess } from '../src/lib/process/run.ts'

const MAIN = join(import.meta.dirname, '..', 'src', 'cli', 'main.ts')
const FIXTURES = join(import.meta.dirname, '..', 'src', 'worker', 'sops', 'fixtures')
/** What stands in the fixtures that sops has written. */
const SECRETS = ['ada-likes-tea', 'bob-likes-coffee', 'binary-secret-of-hcl', 'tf-deep-secret', 'one-secret-tag']

/** The whole way of files that are encrypted in Git, with keys that only the worker has. */
let shell: Shell
let work: string
let target: string
const works = async (...args: string[]): Promise<Ran> => {
  const ran = await shell.run(args, { cwd: work })
  expect(ran.code, `trueup ${args.join(' ')}: ${ran.err}`).toBe(0)
  return ran
}
const git = async (...args: string[]): Promise<void> => {
  const { exitCode, stderr } = await runProcess({ argv: ['git', ...args], cwd: work, env: shell.env })
  expect(exitCode, `git ${args.join(' ')}: ${stderr}`).toBe(0)
}
const write = async (path: string, text: string): Promise<void> => {
  await mkdir(dirname(join(work, path)), { recursive: true })
  await writeFile(join(work, path), text)
}

beforeAll(async () => {
  shell = await openShell()
  Object.assign(shell.env, { SOPS_AGE_KEY_FILE: join(FIXTURES, 'keys.txt') })
  const { url } = await shell.up(['--runner-slots', '1'])
  work = join(shell.home, 'shop')
  target = join(shell.home, 'target')
  await Promise.all([mkdir(work), mkdir(target)])
  await git('config', '--global', `credential.${url}.helper`, `!${process.execPath} ${MAIN} git-credential`)
}, 180_000)
afterAll(() => shell?.close())

it('are deployed as they were before, and seen by nobody on the way', { timeout: 300_000 }, async () => {
  const tool = `cat vars.yml; echo "key $SOPS_AGE_KEY_FILE."; exit 2`
  await write(
    'trueup.yaml',
    JSON.stringify({
      version: 1,
      environments: { lab: { drift: { interval: '1h' } } },
      stacks: [
        { path: 'app', driver: 'files', sops: true, with: { target } },
        { path: 'tool', driver: 'command', sops: true, needs: ['app'], with: { plan: tool, apply: 'cat vars.yml' } },
      ],
    }),
  )
  for (const name of ['vars.yml', 'prod.tfvars', 'prod.auto.tfvars.json']) {
    await mkdir(join(work, 'app'), { recursive: true })
    await cp(join(FIXTURES, name), join(work, 'app', name))
  }
  await write('tool/vars.yml', await readFile(join(FIXTURES, 'vars.yml'), 'utf8'))
  await works('repo', 'create', 'shop')
  await git('init', '--quiet', '--initial-branch', 'main')
  await git('add', '.')
  await git('commit', '--quiet', '--message', 'Open the shop')
  await git('remote', 'add', 'origin', (await works('repo', 'show', 'shop', '--git-url')).out.trim())
  await git('push', '--quiet', 'origin', 'main')
  const states = async (): Promise<string[]> =>
    (await works('run', 'list', '--kind', 'deploy', '--output', 'json')).json.map((run: { state: string }) => run.state)
  await expect.poll(states, { timeout: 180_000, interval: 200 }).toEqual(['succeeded', 'succeeded'])
  expect(await readFile(join(target, 'vars.yml'), 'utf8')).toContain('ada-likes-tea')
  expect(await readFile(join(target, 'prod.tfvars'), 'utf8')).toBe('password = "binary-secret-of-hcl"\n')

  const runs: { id: string }[] = (await works('run', 'list', '--kind', 'deploy', '--output', 'json')).json
  const said: string[] = []
  for (const { id } of runs) {
    said.push((await works('run', 'logs', id)).out)
    said.push((await works('run', 'show', id, '--output', 'json')).out)
  }
  const all = said.join('\n')
  expect(all).toContain('app/vars.yml is decrypted')
  expect(all).toContain('key .')
  // The database, packs and workspaces, as bytes.
  const kept = await runProcess({
    argv: ['grep', '-rlaF', ...SECRETS.flatMap((secret) => ['-e', secret]), join(shell.home, 'data')],
    cwd: work,
    env: shell.env,
    quiet: true,
  })
  expect(kept.stdout.trim()).toBe('')
  for (const secret of SECRETS) expect(all).not.toContain(secret)

  // Without the values a change of one is a change all the same, and one that was made by hand is refused.
  await git('switch', '--quiet', '--create', 'by-hand')
  const text = await readFile(join(work, 'app', 'vars.yml'), 'utf8')
  await write('app/vars.yml', text.replace(/port: \S+/, 'port: 9090'))
  await git('commit', '--quiet', '--all', '--message', 'Change it without sops')
  await git('push', '--quiet', '--push-option', 'mr', 'origin', 'HEAD')
  const preview = async () =>
    (await works('run', 'list', '--kind', 'preview', '--output', 'json')).json[0]?.message ?? ''
  await expect
    .poll(preview, { timeout: 180_000, interval: 200 })
    .toMatch(/decrypting app\/vars.yml: its MAC does not fit/)
})
