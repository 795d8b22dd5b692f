import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { silentLogger } from '../../../lib/log.ts'
import { type Runner, startRunner } from '../../runner.ts'
import { allow, type SignedWorld, signedWorld, TRAILERS } from '../testing.ts'
import { readStandaloneConfig } from './config.ts'
import { readStatus } from './overview.ts'
import { standaloneWay } from './way.ts'

const PATIENCE = { timeout: 280_000, interval: 50 }

/** Commits follow one another here: each test goes on where the one before has left the branch. */
describe('an agent without a server', { timeout: 600_000 }, () => {
  let world: SignedWorld
  let target: string
  let data: string
  let agent: Runner
  let key: string
  let forge: Server
  /** What the forge was told: commit → state and description, the newest last. */
  const told: { path: string; authorization: string | undefined; state: string; description: string }[] = []

  const at = (name: string) => join(target, name)
  const read = (name: string) => (existsSync(at(name)) ? readFileSync(at(name), 'utf8') : null)
  const status = () => readStatus(data)
  const stack = (name: string) => status().stacks.find((one) => one.stack === `production/${name}`)
  const config = (more: object[] = [], drift = '1s') =>
    stringify({
      version: 1,
      environments: {
        production: { tier: 'production', drift: { mode: 'enforce', interval: drift, maxDestroys: 0 } },
        other: {},
      },
      stacks: [
        {
          path: 'base',
          driver: 'command',
          environments: ['production'],
          with: {
            idempotent: true,
            plan: `cmp -s word ${at('base')} && { printf '{"word":"%s"}' "$(cat word)" > $TRUEUP_OUTPUTS_FILE; exit 0; }; echo changed; exit 2`,
            apply: `cp word ${at('base')}; printf '{"word":"%s"}' "$(cat word)" > $TRUEUP_OUTPUTS_FILE`,
          },
        },
        {
          path: 'app',
          driver: 'command',
          environments: ['production'],
          inputs: { word: 'base.word' },
          with: {
            plan: `[ "$(cat ${at('app')} 2>/dev/null)" = "$TRUEUP_INPUT_WORD" ] && exit 0; echo changed; exit 2`,
            apply: `printf %s "$TRUEUP_INPUT_WORD" > ${at('app')}`,
          },
        },
        { path: 'web', driver: 'files', environments: ['production'], with: { target: at('web') } },
        ...more,
      ],
    })
  const commit = (files: { [path: string]: string }, how: Parameters<SignedWorld['commit']>[1] = {}) =>
    world.commit(files, { key, ...how })
  const start = async () => {
    const settings = readStandaloneConfig(join(world.directory, 'agent.yaml'))
    agent = await startRunner(settings.agent.options, silentLogger, {
      way: standaloneWay({ ...settings, pollMs: 100 }),
    })
  }
  const taken = (oid: string) => expect.poll(() => status().branch.taken?.commit, PATIENCE).toBe(oid)
  const refused = async (oid: string, code: string) => {
    await expect.poll(() => status().branch.refused, PATIENCE).toMatchObject({ commit: oid, code })
    await expect
      .poll(() => told.filter(({ path }) => path.endsWith(oid)).at(-1), PATIENCE)
      .toMatchObject({ state: 'failure', description: expect.stringContaining(code) as string })
  }
  /** The branch, back where it was: nothing is refused any more. */
  const goBack = async (good: string) => {
    world.git('update-ref', 'refs/heads/main', good)
    world.git('reset', '--hard', '--quiet', good)
    await expect.poll(() => status().branch.refused, PATIENCE).toBeUndefined()
  }
  const inSync = () =>
    expect.poll(() => status().stacks.map(({ state }) => state), PATIENCE).toEqual(['in_sync', 'in_sync', 'in_sync'])

  beforeAll(async () => {
    world = signedWorld()
    target = join(world.directory, 'target')
    data = join(world.directory, 'agent')
    mkdirSync(join(target, 'web'), { recursive: true })
    key = world.key('good')
    allow(join(world.directory, 'allowed'), key)
    forge = createServer((request, response) => {
      let body = ''
      request.on('data', (chunk: Buffer) => (body += chunk.toString()))
      request.on('end', () => {
        const { state, description } = JSON.parse(body) as { state: string; description: string }
        told.push({ path: request.url!, authorization: request.headers.authorization, state, description })
        response.writeHead(201, { 'content-type': 'application/json' }).end('{}')
      })
    })
    await new Promise<void>((resolve) => forge.listen(0, '127.0.0.1', resolve))
    writeFileSync(join(world.directory, 'forge-token'), 'status-token\n')
    writeFileSync(
      join(world.directory, 'agent.yaml'),
      stringify({
        git: join(world.directory, 'repository'),
        repository: 'shop',
        data: 'agent',
        name: 'edge-1',
        environments: ['production'],
        signers: { ssh: 'allowed' },
        page: '127.0.0.1:0',
        status: {
          api: 'gitea',
          url: `http://127.0.0.1:${(forge.address() as AddressInfo).port}/api/v1`,
          repository: 'ops/shop',
          tokenFile: 'forge-token',
        },
      }),
    )
    commit({ 'trueup.yaml': config(), 'base/word': 'one', 'app/x': '', 'web/motd': 'one\n' })
    await start()
  })
  afterAll(async () => {
    await agent?.stop(0)
    forge?.close()
    await world?.close()
  })

  it('deploys upstream first, and tells the forge how the commit went', async () => {
    await inSync()
    expect([read('base'), read('app'), read('web/motd')]).toEqual(['one', 'one', 'one\n'])
    const { commit: first } = status().branch.taken!
    await expect.poll(() => told.at(-1)?.state, PATIENCE).toBe('success')
    expect(told.at(-1)).toEqual({
      path: `/api/v1/repos/ops/shop/statuses/${first}`,
      authorization: 'token status-token',
      state: 'success',
      description: '3 stacks as signed',
    })
    // An output that changes is deployed on, in its order.
    await taken(commit({ 'base/word': 'two' }))
    await expect.poll(() => read('app'), PATIENCE).toBe('two')
    await inSync()
    expect(stack('web')!.counts.deployed).toBe(1)
  })

  it('heals drift, at once where it can be watched', async () => {
    writeFileSync(at('web/motd'), 'by hand\n')
    writeFileSync(at('app'), 'by hand')
    await expect.poll(() => [read('web/motd'), read('app')], PATIENCE).toEqual(['one\n', 'two'])
    await expect.poll(() => [stack('web')!.counts.healed, stack('app')!.counts.healed], PATIENCE).toEqual([1, 1])
  })

  it.each<[string, string, () => string]>([
    ['unsigned', 'COMMIT_UNSIGNED', () => commit({ 'web/motd': 'bad\n' }, { key: null })],
    ['by a stranger', 'SIGNER_UNKNOWN', () => commit({ 'web/motd': 'bad\n' }, { key: world.key('stranger') })],
    [
      'for another branch',
      'COMMIT_OTHER_BRANCH',
      () => commit({ 'web/motd': 'bad\n' }, { message: `x\n\n${TRAILERS.replace('main', 'wip')}` }),
    ],
    [
      'for another repository',
      'COMMIT_OTHER_REPOSITORY',
      () => commit({ 'web/motd': 'bad\n' }, { message: `x\n\n${TRAILERS.replace('shop', 'bank')}` }),
    ],
    [
      'with a configuration that cannot be read',
      'CONFIG_INVALID',
      () => commit({ 'trueup.yaml': 'version: 1\nx: 1\n' }),
    ],
    [
      'an older one',
      'COMMIT_OLDER',
      () => {
        const older = world.git('rev-parse', `${status().branch.taken!.commit}~1`)
        world.git('update-ref', 'refs/heads/main', older)
        return older
      },
    ],
    [
      'of a history that was written anew',
      'COMMIT_OLDER',
      () => {
        const root = commit({ 'trueup.yaml': config(), 'web/motd': 'bad\n' }, { parents: [] })
        world.git('update-ref', 'refs/heads/main', root)
        return root
      },
    ],
  ])('refuses a commit %s, and deploys nothing of it', async (_name, code, make) => {
    const { commit: good } = status().branch.taken!
    await refused(make(), code)
    expect([status().branch.taken!.commit, read('web/motd')]).toEqual([good, 'one\n'])
    await goBack(good)
  })

  it('goes on healing while the newest commit is refused', async () => {
    const { commit: good } = status().branch.taken!
    await refused(commit({ 'web/motd': 'bad\n' }, { key: null }), 'COMMIT_UNSIGNED')
    writeFileSync(at('web/motd'), 'by hand\n')
    await expect.poll(() => read('web/motd'), PATIENCE).toBe('one\n')
    await goBack(good)
  })

  it('shows itself on a page of its host, and to no page of another site', async () => {
    const url = readFileSync(join(data, 'page'), 'utf8').trim()
    const page = await (await fetch(url)).text()
    expect(page).toContain('production/web')
    expect(await (await fetch(`${url}/metrics`)).text()).toMatch(/trueup_agent_stacks\{state="in_sync"\} 3\n/)
    expect(await (await fetch(`${url}/status.json`)).json()).toMatchObject({ branch: { taken: {} } })
    expect((await fetch(url, { method: 'POST' })).status).toBe(405)
  })

  it('lives on without its remote, also through a restart, and follows it when it is back', async () => {
    const [here, gone] = [join(world.directory, 'repository'), join(world.directory, 'gone')]
    renameSync(here, gone)
    await expect.poll(() => status().branch.trouble?.code, PATIENCE).toBe('REMOTE_UNREACHABLE')
    await agent.stop(0)
    writeFileSync(at('web/motd'), 'by hand\n')
    await start()
    await expect.poll(() => read('web/motd'), PATIENCE).toBe('one\n')
    expect(status().branch.trouble?.code).toBe('REMOTE_UNREACHABLE')
    renameSync(gone, here)
    await taken(commit({ 'web/motd': 'back\n' }))
    await expect.poll(() => read('web/motd'), PATIENCE).toBe('back\n')
    expect(status().branch.trouble).toBeUndefined()
  })

  it('keeps to windows and policies of the signed configuration', async () => {
    const closed = config().replace(
      'tier: production',
      'tier: production\n    windows: [{ deny: "mon 00:00 - fri 00:00" }, { deny: "fri 00:00 - mon 00:00" }]',
    )
    await taken(commit({ 'trueup.yaml': closed, 'web/motd': 'later\n' }))
    await expect.poll(() => stack('web')!.state, PATIENCE).toBe('waiting')
    expect(read('web/motd')).toBe('back\n')
    const policies = `${config()}policies:\n  - { name: no-files, when: 'stack.driver == "files"', then: deny, message: "not today" }\n`
    await taken(commit({ 'trueup.yaml': policies }))
    await expect.poll(() => stack('web'), PATIENCE).toMatchObject({ state: 'held', why: 'no-files: not today' })
    expect(read('web/motd')).toBe('back\n')
    await taken(commit({ 'trueup.yaml': config() }))
    await expect.poll(() => read('web/motd'), PATIENCE).toBe('later\n')
  })

  it('refuses once a key is revoked, at the next start too', async () => {
    writeFileSync(join(world.directory, 'allowed'), '')
    await refused(commit({ 'web/motd': 'late\n' }), 'SIGNER_UNKNOWN')
    await agent.stop(0)
    writeFileSync(at('web/motd'), 'by hand\n')
    await start()
    await expect.poll(() => status().branch.refused?.code, PATIENCE).toBe('SIGNER_UNKNOWN')
    expect(read('web/motd')).toBe('by hand\n')
  })
})
