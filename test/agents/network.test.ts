import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { until } from '../../src/server/testing/live.ts'
import { describeWithNetwork, makeNetwork, type Network } from './network.ts'
import { type AgentProcess, type AgentWorld, startAgentWorld } from './world.ts'

/** An apply that says when it has begun and waits until it may go on. */
const CONFIG = (target: string) => `version: 1
environments:
  production: { tier: development, workers: edge }
stacks:
  - path: web
    driver: command
    environments: [production]
    with:
      idempotent: true
      plan: cmp -s motd ${target}/motd && exit 0; echo changed; exit 2
      apply: ': > ${target}/begun; while test -e ${target}/hold; do sleep 0.05; done; cp motd ${target}/motd'
  # A glob: it comes with a merge request.
  - { path: sit*, driver: files, environments: [production], drift: { mode: enforce }, with: { target: ${target}/site } }
`

describeWithNetwork('an agent that reaches nothing but the server', () => {
  let network: Network
  let world: AgentWorld
  let agent: AgentProcess
  const start = () => world.spawn(network.inside, 2_000)
  const at = (name: string) => join(world.target, name)
  const motd = () => (existsSync(at('motd')) ? readFileSync(at('motd'), 'utf8') : null)
  const deployed = (text: string) =>
    until(
      async () => motd(),
      (seen) => seen === text,
    )

  beforeAll(async () => {
    network = makeNetwork()
    world = await startAgentWorld({ host: network.host }, CONFIG)
    agent = await start()
  })
  afterAll(async () => {
    await world.close()
    network.close()
  })

  it('deploys with no port open and no way to anywhere else', async () => {
    await world.change('one')
    await deployed('one\n')
    expect(network.listening()).toEqual([])
    expect(network.routes()).toHaveLength(1)
    expect(await network.knock(22)).toBe('ECONNREFUSED')
  })

  it('killed in mid-apply brings it to its end when it comes back', async () => {
    writeFileSync(at('hold'), '')
    execFileSync('rm', ['-f', at('begun')])
    await world.change('two')
    await until(
      async () => existsSync(at('begun')),
      (begun) => begun,
    )
    await agent.kill()
    expect(motd()).toBe('one\n')
    execFileSync('rm', [at('hold')])
    agent = await start()
    await deployed('two\n')
    // What it had begun is what it holds: an older commit is still an older one.
    await world.change('three')
    await deployed('three\n')
  })

  it('heals with its network cut, and tells of it when there is one again', { timeout: 400_000 }, async () => {
    const page = at('site/index.html')
    const holdsPage = () =>
      until(
        async () => (existsSync(page) ? readFileSync(page, 'utf8') : null),
        (text) => text === 'signed\n',
        180_000,
      )
    mkdirSync(at('site'))
    await world.change('site', undefined, { 'site/index.html': 'signed\n' })
    await holdsPage()
    await world.ended(({ kind, stack }) => kind === 'deploy' && stack === 'production/site')
    network.cut()
    writeFileSync(page, 'by hand\n')
    await holdsPage()
    const told = async () =>
      (await world.server.request('GET', '/api/v1/audit?action=drift.healed_alone')).body.items as { data: object }[]
    expect(await told()).toEqual([])
    network.mend()
    const [report] = await until(told, (items) => items?.length > 0, 180_000)
    expect(report!.data).toMatchObject({ outcome: 'healed', addresses: [expect.stringContaining('index.html')] })
  })
})
