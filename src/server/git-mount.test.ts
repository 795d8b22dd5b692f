import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runProcess } from '../lib/process/run.ts'
import { listRefs } from '../store/changes/refs.ts'
import { startTestServer, type Person, type TestServer } from './testing/app.ts'

let server: TestServer
let work: string
let writer: Person
let reader: Person
let stranger: Person
let repositoryId: string

beforeAll(async () => {
  server = await startTestServer()
  work = await mkdtemp(join(tmpdir(), 'trueup-push-'))
  writer = await server.person('wim')
  reader = await server.person('rita')
  stranger = await server.person('steve')
  ;({ id: repositoryId } = await server.repository('shop', { [writer.id]: 'contributor', [reader.id]: 'reader' }))
  await git(null, 'init', '-q', '-b', 'main')
  await commit('one')
})
afterAll(async () => {
  await server.close()
  await rm(work, { recursive: true })
})

async function git(person: Person | null, ...args: string[]) {
  const name = { GIT_AUTHOR_NAME: 'a', GIT_AUTHOR_EMAIL: 'a@x', GIT_COMMITTER_NAME: 'a', GIT_COMMITTER_EMAIL: 'a@x' }
  const env = {
    PATH: process.env.PATH!,
    HOME: work,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    LC_ALL: 'C',
    ...name,
  }
  const header = person ? ['-c', `http.extraHeader=Authorization: Basic ${btoa(`any:${person.token}`)}`] : []
  return runProcess({ argv: ['git', ...header, ...args], cwd: work, env, timeoutMs: 180_000 })
}

async function commit(text: string): Promise<void> {
  await writeFile(join(work, 'file'), text)
  await git(null, 'add', '.')
  await git(null, 'commit', '-q', '-m', text)
}

const url = () => `${server.url}/git/shop.git`

describe('Git over HTTP', () => {
  it('is pushed to by contributors, and the engine hears of it', async () => {
    const pushed = await git(writer, 'push', url(), 'HEAD:refs/heads/main')
    expect(pushed.stderr).toContain('new branch')
    expect(pushed.exitCode).toBe(0)
    await expect
      .poll(async () => (await listRefs(server.store.db, repositoryId)).map(({ name }) => name))
      .toEqual(['refs/heads/main'])
  })

  it('is read by readers, whose push is refused before anything is sent', async () => {
    expect((await git(reader, 'ls-remote', url())).stdout).toContain('refs/heads/main')
    const refused = await git(reader, 'push', url(), 'HEAD:refs/heads/x')
    expect(refused.exitCode).not.toBe(0)
    expect(refused.stderr).toMatch(/remote: .*it needs the role contributor, and rita is reader/)
  })

  it('does not exist for strangers, and asks the unknown for their name', async () => {
    expect((await git(stranger, 'ls-remote', url())).stderr).toContain('not found')
    const unknown = await fetch(`${url()}/info/refs?service=git-upload-pack`)
    expect([unknown.status, unknown.headers.get('www-authenticate')]).toEqual([401, 'Basic realm="trueup"'])
  })

  it('keeps everyone from the protected branch', async () => {
    await commit('two')
    const refused = await git(writer, 'push', url(), 'HEAD:refs/heads/main')
    expect(refused.exitCode).not.toBe(0)
    expect(refused.stderr).toContain('protected')
    expect((await git(writer, 'push', url(), 'HEAD:refs/heads/change')).exitCode).toBe(0)
  })

  it('has no other services', async () => {
    for (const path of ['/HEAD', '/objects/info/packs', '/git-upload-archive', '/info/../config'])
      expect((await fetch(url() + path, { headers: { authorization: `Bearer ${writer.token}` } })).status, path).toBe(
        404,
      )
  })
})
