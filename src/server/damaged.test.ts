import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createClient } from '../cli/client.ts'
import { checkDatabaseAndKeys } from '../cli/doctor/database.ts'
import { downloadBackup } from '../cli/download-backup.ts'
import { repairRepositories, checkRepositories } from '../cli/doctor/repositories.ts'
import { runProcess } from '../lib/process/run.ts'
import { startServer, type RunningServer } from './start.ts'
import { ask } from './testing/app.ts'
import { until } from './testing/live.ts'
import { backupStore } from '../store/backup/backup.ts'
import { restoreStore } from '../store/backup/restore.ts'

let directory: string
let server: RunningServer
let token: string
const ids = new Map<string, string>()
const gitDirectory = (name: string): string => join(directory, 'data', 'repositories', `${ids.get(name)}.git`)

async function git(...argv: string[]) {
  const env = {
    PATH: process.env['PATH'] ?? '',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_CONFIG_COUNT: '1',
    GIT_CONFIG_KEY_0: 'http.extraHeader',
    GIT_CONFIG_VALUE_0: `Authorization: Basic ${Buffer.from(`x:${token}`).toString('base64')}`,
  }
  return await runProcess({ argv: ['git', ...argv], cwd: directory, env, timeoutMs: 180_000 })
}

const clone = async (name: string): Promise<number | null> => {
  const target = await mkdtemp(join(directory, 'clone-'))
  return (await git('clone', '--quiet', `${server.url}/git/${name}.git`, target)).exitCode
}
const start = async (): Promise<void> => {
  server = await startServer({ dataDir: join(directory, 'data'), port: 0, logLevel: 'silent', runnerSlots: 0 })
}
const damages = async (): Promise<{ [name: string]: string | null }> => {
  const { items } = (await ask(server.url, token, 'GET', '/api/v1/repositories')).body
  return Object.fromEntries(items.map(({ name, damage }: { name: string; damage: string | null }) => [name, damage]))
}

/** What a power cut or a careless hand leaves. */
const DAMAGES: { [name: string]: (directory: string) => Promise<void> } = {
  head: (at) => truncate(join(at, 'HEAD'), 0),
  config: (at) => truncate(join(at, 'config'), 0),
  branch: async (at) => {
    await rm(join(at, 'refs'), { recursive: true })
    await rm(join(at, 'packed-refs'), { force: true })
  },
  reference: (at) => truncate(join(at, 'refs/heads/main'), 0),
  index: async (at) => {
    const packs = join(at, 'objects/pack')
    for (const name of await readdir(packs)) if (name.endsWith('.idx')) await rm(join(packs, name))
  },
  gone: (at) => rm(at, { recursive: true }),
}
const NAMES = [...Object.keys(DAMAGES), 'whole']

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'trueup-damaged-'))
  await start()
  token = (await readFile(server.adminTokenFile!, 'utf8')).trim()
  const work = join(directory, 'work')
  await mkdir(work)
  await git('init', '--quiet', '--initial-branch', 'main', work)
  await writeFile(join(work, 'trueup.yaml'), 'version: 1\nenvironments: { production: {} }\nstacks: []\n')
  await git('-C', work, 'add', '--all')
  await git('-C', work, '-c', 'user.name=Ada', '-c', 'user.email=a@example.org', 'commit', '--quiet', '-m', 'Begin')
  for (const name of NAMES) {
    const made = await ask(server.url, token, 'POST', '/api/v1/repositories', { name })
    ids.set(name, made.body.id)
    expect((await git('-C', work, 'push', '--quiet', `${server.url}/git/${name}.git`, 'main')).exitCode).toBe(0)
  }
  await server.close()
  await git('-C', gitDirectory('index'), 'repack', '-adq')
  for (const [name, damage] of Object.entries(DAMAGES)) await damage(gitDirectory(name))
  await start()
})
afterAll(async () => {
  await server?.close()
  await rm(directory, { recursive: true, force: true })
})

it('starts, serves what is whole, and says of the others what is wrong', async () => {
  const found = await damages()
  // Git itself does without its configuration.
  expect([found['whole'], found['config']]).toEqual([null, null])
  for (const name of Object.keys(DAMAGES).filter((each) => each !== 'config'))
    expect([name, found[name]]).toEqual([name, expect.any(String)])
  expect(await clone('whole')).toBe(0)
  const refused = await git('ls-remote', `${server.url}/git/head.git`)
  expect([refused.exitCode, refused.stderr]).toEqual([128, expect.stringContaining('503')])
  const made = await ask(server.url, token, 'POST', '/api/v1/repositories/branch/merge-requests', {
    sourceBranch: 'a',
    title: 'A',
  })
  expect(made).toMatchObject({ status: 503, body: { code: 'REPOSITORY_UNUSABLE' } })
  expect(await ask(server.url, token, 'GET', '/api/v1/repositories/head/overview')).toMatchObject({ status: 200 })
  const rules = await ask(server.url, token, 'GET', '/api/v1/repositories/head/environments')
  expect(rules).toMatchObject({ status: 503, body: { code: 'REPOSITORY_UNUSABLE' } })
})

it('draws no conclusion from what is missing: no branch counts as deleted', async () => {
  const { items } = (await ask(server.url, token, 'GET', '/api/v1/audit?action=ref.update&limit=100')).body
  expect(items.filter(({ data }: { data: { to: string } }) => /^0+$/.test(data.to))).toEqual([])
})

it('doctor mends no directory that holds no installation, and makes none of it', async () => {
  const nowhere = join(directory, 'nowhere')
  await expect(repairRepositories(nowhere)).rejects.toMatchObject({ code: 'NOT_FOUND' })
  await expect(readdir(nowhere)).rejects.toMatchObject({ code: 'ENOENT' })
})

it('doctor names them, and mends all but the one that is gone', async () => {
  const named = (await checkRepositories(join(directory, 'data'))).map(({ finding }) => finding)
  expect(named.join('\n')).toContain(`${gitDirectory('head')} has an empty or broken HEAD`)
  await expect(repairRepositories(join(directory, 'data'))).rejects.toMatchObject({ code: 'DATA_LOCKED' })
  await server.close()
  const checks = await repairRepositories(join(directory, 'data'))
  const states = Object.fromEntries(checks.map(({ name, state }) => [name.replace('repository ', ''), state]))
  expect(states).toEqual({ ...Object.fromEntries(NAMES.map((name) => [name, 'ok'])), gone: 'error' })
  await start()
  expect(Object.entries(await damages()).filter(([, damage]) => damage !== null)).toEqual([
    ['gone', expect.stringContaining('missing')],
  ])
  for (const name of NAMES) if (name !== 'gone') expect([name, await clone(name)]).toEqual([name, 0])
})

it('serves one that is mended while it runs, and opens what was asked for meanwhile', async () => {
  const [aside, back] = [`${gitDirectory('gone')}.aside`, gitDirectory('gone')]
  await cp(gitDirectory('whole'), aside, { recursive: true })
  await rename(aside, back)
  await until(damages, (all) => all['gone'] === null)
  expect(await clone('gone')).toBe(0)
})

it('backs up what is whole, marks what is not, and a restore says so again', async () => {
  const head = join(gitDirectory('head'), 'HEAD')
  await truncate(head, 0)
  await rm(gitDirectory('branch'), { recursive: true })
  const target = join(directory, 'backup')
  const made = await backupStore(join(directory, 'data'), target)
  const damaged = [
    { repository: 'branch', why: 'is missing' },
    { repository: 'head', why: 'has an empty or broken HEAD' },
  ]
  const byName = (all: typeof damaged) => all.toSorted((a, b) => a.repository.localeCompare(b.repository))
  expect(byName(made.damaged)).toEqual(damaged)
  const restored = await restoreStore(target, join(directory, 'restored'))
  expect(byName(restored.damaged)).toEqual(damaged)
  const fetched = join(directory, 'fetched')
  const client = createClient({ url: server.url, token, source: 'environment' })
  expect(byName((await downloadBackup(client, fetched)).damaged)).toEqual(damaged)
})

it('makes no backup without the keys, and doctor tells it', async () => {
  const key = join(directory, 'data', 'keys', 'data.key')
  await rename(key, `${key}.away`)
  const target = join(directory, 'without-keys')
  await expect(backupStore(join(directory, 'data'), target)).rejects.toMatchObject({
    code: 'DATA_CORRUPT',
    message: expect.stringContaining('data.key: it is missing, and the database was written with key'),
  })
  expect(await readdir(directory)).not.toContain('without-keys')
  const found = await checkDatabaseAndKeys(join(directory, 'data'))
  expect(found).toMatchObject([
    { name: 'database', state: 'ok' },
    { name: 'keys', state: 'error', finding: expect.stringContaining('it is missing') },
  ])
  await rename(`${key}.away`, key)
})

it('does not start on a damaged page of its database, and says what to do', async () => {
  await server.close()
  const file = join(directory, 'data', 'trueup.db')
  const text = await readFile(file)
  // The root of some table, in the middle of the file.
  const page = 4096
  await writeFile(
    file,
    Buffer.concat([text.subarray(0, 20 * page), Buffer.alloc(page, 0xa5), text.subarray(21 * page)]),
  )
  const refusal = { code: 'DATA_CORRUPT', message: expect.stringContaining('a page of it is damaged') }
  await expect(start()).rejects.toMatchObject(refusal)
  expect(await checkDatabaseAndKeys(join(directory, 'data'))).toMatchObject([
    { name: 'database', state: 'error', next: expect.stringContaining('trueup restore') },
    {},
  ])
  await writeFile(file, text)
  await start()
})
