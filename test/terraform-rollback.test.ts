import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import semver from 'semver'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { type LiveServer, startLiveServer, until as untilWithin } from '../src/server/testing/live.ts'
import { makeMirror, providerEnvironment, useProvider } from './terraform-provider/mirror.ts'
import { describeWithTool, findTool } from './tools.ts'

const file = (name: string, path = name): string =>
  `resource "hostfile_file" "${name}" {\n  path = "/${path}"\n  content = "of ${path}"\n}\n`

/** `removed` blocks came with 1.7 of both tools; an older one cannot be told to let go of a resource. */
const NAME = findTool('terraform') ? 'terraform' : 'tofu'

describeWithTool(NAME, 'a rollback that happens by itself, through a server and a runner', (tool) => {
  let live: LiveServer
  let root: string
  const until = <T>(look: () => Promise<T>, fits: (answer: T) => boolean): Promise<T> =>
    untilWithin(look, fits, 120_000)
  const target = () => join(root, 'target')

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'trueup-rollback-'))
    await mkdir(target())
    await makeMirror(join(root, 'mirror'))
    // The runner inherits them as an operator's would.
    vi.stubEnv('PATH', `${dirname(tool.path)}${delimiter}${process.env['PATH']}`)
    const { TF_PLUGIN_MIRROR, ...variables } = providerEnvironment(join(root, 'mirror'))
    vi.stubEnv('TF_PLUGIN_MIRROR', TF_PLUGIN_MIRROR!)
    const config = {
      version: 1,
      environments: { staging: { tier: 'staging', onFailure: 'rollback', drift: { interval: '1h' } } },
      stacks: [{ path: 'net', driver: 'terraform', with: { tool: NAME }, variables }],
    }
    live = await startLiveServer(() => ({
      'trueup.yaml': JSON.stringify(config),
      'net/main.tf': useProvider(target()) + file('base'),
    }))
    await until(stack, ({ state }) => state === 'in_sync')
  })
  afterAll(async () => {
    await live?.close()
    vi.unstubAllEnvs()
    await rm(root, { recursive: true, force: true })
  })

  const stack = async () => (await live.shop('GET', '/stack?stack=staging/net')).body
  const mr = async (number: number) => (await live.shop('GET', `/merge-requests/${number}`)).body

  it('lets what was imported and moved live, and asks nobody where the tool can be told so', async () => {
    await writeFile(join(target(), 'web'), 'of web')
    const before = await stat(join(target(), 'base'))
    const branch = await live.push('change', {
      'net/main.tf': [
        useProvider(target()),
        file('home', 'base'),
        'moved {\n  from = hostfile_file.base\n  to = hostfile_file.home\n}\n',
        file('web'),
        'import {\n  to = hostfile_file.web\n  id = "/web"\n}\n',
        file('made'),
        // Below a file nothing can be made.
        file('impossible', 'base/impossible'),
      ].join(''),
    })
    const { body: bad } = await live.shop('POST', '/merge-requests', { sourceBranch: branch, title: 'Import' })
    await until(
      () => mr(bad.number),
      (row) => row.mergeable,
    )
    await live.shop('POST', `/merge-requests/${bad.number}/merge`, {})

    const { items } = await until(
      async () => (await live.shop('GET', '/merge-requests')).body,
      (page) => page.items.some(({ origin }: { origin: string }) => origin === 'rollback'),
    )
    const back = items.find(({ origin }: { origin: string }) => origin === 'rollback')
    if (!semver.gte(semver.coerce(tool.version)!, '1.7.0')) {
      const { mergeable, requirements } = await until(
        () => mr(back.number),
        ({ planned }) => planned,
      )
      expect(mergeable).toBe(false)
      expect(JSON.stringify(requirements)).toContain(`hostfile_file.web was imported by !${bad.number}, not created`)
      expect(await readFile(join(target(), 'web'), 'utf8')).toBe('of web')
      expect((await stat(join(target(), 'base'))).ino).toBe(before.ino)
      return
    }
    await until(
      () => mr(back.number),
      ({ state }) => state === 'merged',
    )
    const after = await until(stack, ({ state }) => state === 'in_sync')
    expect(after).toMatchObject({ quarantined: null, quarantine: [{ mr: back.number }] })
    expect((await readdir(target())).sort()).toEqual(['base', 'web'])
    expect(await readFile(join(target(), 'web'), 'utf8')).toBe('of web')
    // The very file that there was, and not one made anew.
    expect((await stat(join(target(), 'base'))).ino).toBe(before.ino)
    const runs = (await live.shop('GET', `/runs?mr=${back.number}&kind=deploy`)).body.items
    expect(runs).toMatchObject([{ state: 'succeeded' }])
  })
})
