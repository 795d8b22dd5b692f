import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { until } from '../../src/server/testing/live.ts'
import type { Stage } from './cases/case.ts'
import { type Estate, openEstate, placeOf, toolPath } from './cases/estate.ts'
import { HOST_CASES } from './cases/hosts.ts'
import { SERVICE_CASES } from './cases/services.ts'
import { makeNetwork, type Network, noNetwork } from './network.ts'
import { type AgentProcess, type AgentWorld, startAgentWorld } from './world.ts'

/** The same stacks in push mode, by the server's own runner, and in pull mode, by the agent. */
const ENVIRONMENTS = ['push', 'pull'] as const
type Environment = (typeof ENVIRONMENTS)[number]
/** For a busy machine: six tools in two environments. */
const PATIENCE_MS = 240_000

const CASES = [...HOST_CASES, ...SERVICE_CASES]

interface Planned {
  kind: string
  state: string
  worker: string | null
  plan: { changes: object[] } | null
}

/** The agent stands in a network namespace, where there can be one: no port is open, and no way leads but to the server. */
const NO_NETWORK = noNetwork()
const NO_WAY = NO_NETWORK === null ? 'in a network namespace' : `no network namespace: ${NO_NETWORK}`
/** Orders to heal are compared where that is cheap; alone, the agent heals them all. */
const healed = (stages: readonly Stage[]): Stage[] => stages.filter(({ driver }) => !isHeavy(driver))
const isHeavy = (driver: string): boolean => CASES.some((one) => one.driver === driver && one.heavy)

describe(`push and pull from one merge request, ${NO_WAY}`, { timeout: 3 * PATIENCE_MS }, () => {
  let world: AgentWorld
  let estate: Estate
  let network: Network | undefined
  let agent: AgentProcess
  const start = () => world.spawn(network?.inside, 1_000)
  const holds = (environment: Environment, stage: Stage, text: string) =>
    until(
      async () => ({ at: at(environment, stage.driver), holds: await stage.reads(placeOf(environment)) }),
      (seen) => seen.holds === text,
      PATIENCE_MS,
    ).catch(async (error: Error) => {
      const own = (await world.runs()).filter((run) => run.stack === at(environment, stage.driver))
      throw new Error(
        `${error.message}: ${JSON.stringify(own.map(({ kind, state, error: why }) => [kind, state, why]))}`,
      )
    })
  const everywhere = (work: (environment: Environment, stage: Stage) => Promise<unknown>, stages = estate.stages) =>
    Promise.all(ENVIRONMENTS.flatMap((environment) => stages.map((stage) => work(environment, stage))))
  const at = (environment: Environment, driver: string) => `${environment}/${driver}`
  const inSync = (environment: Environment, { driver }: Stage) =>
    until(
      async () => (await world.server.shop('GET', `/stack?stack=${at(environment, driver)}`)).body,
      ({ state }) => state === 'in_sync',
      PATIENCE_MS,
    )
  /**
   * What there was of a stack, oldest first, without what names the environment. Without mere looks: how many there are
   * depends on what comes first.
   */
  const history = async (environment: Environment, driver: string) => {
    const own = (await world.runs())
      .filter(({ stack, kind }) => stack === at(environment, driver) && kind !== 'drift')
      .toReversed()
    const runs: Planned[] = []
    for (const { id } of own) runs.push((await world.server.request('GET', `/api/v1/runs/${id}`)).body as Planned)
    const plain = (value: unknown) =>
      JSON.parse(
        JSON.stringify(value)
          .replaceAll(placeOf(environment), 'at-ENVIRONMENT')
          .replaceAll(`shop/${environment}/`, 'shop/ENVIRONMENT/'),
      ) as unknown
    return runs.map(({ kind, state, plan, worker }) => ({ kind, state, worker, changes: plain(plan?.changes ?? null) }))
  }

  beforeAll(async () => {
    vi.stubEnv('PATH', toolPath())
    estate = await openEstate(CASES)
    if (NO_NETWORK === null) network = makeNetwork()
    await network?.bring(estate.stages.flatMap(({ ports = [] }) => ports))
    world = await startAgentWorld(network ? { host: network.host } : {}, () =>
      JSON.stringify({
        version: 1,
        environments: {
          push: { drift: { mode: 'enforce', interval: '1d' } },
          pull: { drift: { mode: 'enforce', interval: '1d' }, workers: 'edge' },
        },
        stacks: estate.entries,
      }),
    )
    agent = await start()
    await world.change('one', undefined, estate.files('one', ENVIRONMENTS))
    await everywhere((environment, stage) => holds(environment, stage, 'one'))
    await everywhere(inSync)
    const light = healed(estate.stages)
    await everywhere(async (environment, stage) => {
      await stage.tamper(placeOf(environment))
      await world.server.shop('POST', '/drift/checks', { stack: at(environment, stage.driver) })
    }, light)
    await everywhere((environment, stage) => holds(environment, stage, 'one'), light)
    await everywhere(inSync, light)
  }, 5 * PATIENCE_MS)
  afterAll(async () => {
    vi.unstubAllEnvs()
    await world?.close()
    await estate?.close()
    network?.close()
  })

  for (const { driver, missing } of CASES)
    it.skipIf(missing !== null)(`${driver}: nothing differs but the worker (${missing ?? 'here'})`, async () => {
      const [push, pull] = await Promise.all(ENVIRONMENTS.map((environment) => history(environment, driver)))
      const done = (runs: typeof push) => runs!.map(({ kind, state, changes }) => ({ kind, state, changes }))
      expect(done(pull)).toEqual(done(push))
      expect(done(pull).map(({ kind, state }) => `${kind} ${state}`)).toEqual([
        'preview succeeded',
        'deploy succeeded',
        ...(isHeavy(driver) ? [] : ['heal succeeded']),
      ])
      const { items } = (await world.server.request('GET', '/api/v1/workers')).body
      const worker = items.find(({ name }: { name: string }) => name === 'edge-1').id
      expect(new Set(pull!.map((run) => run.worker))).toEqual(new Set([worker]))
      expect(push!.map((run) => run.worker)).not.toContain(worker)
    })

  it.skipIf(NO_NETWORK !== null)(
    `nothing of the agent's side can be reached, and it reaches nothing else (${NO_WAY})`,
    async () => {
      const beside = estate.stages.flatMap(({ ports = [] }) => ports).map((port) => `127.0.0.1:${port}`)
      expect(network!.listening().toSorted()).toEqual(beside.toSorted())
      expect(network!.routes()).toEqual([expect.stringContaining(`src ${network!.guest}`)])
      for (const port of [22, 443, ...estate.stages.flatMap(({ ports = [] }) => ports)])
        expect(await network!.knock(port)).toBe('ECONNREFUSED')
    },
  )

  it('the agent heals each of them with the server away, and tells of it in its order', async () => {
    const drivers = estate.stages.map(({ driver }) => driver).toSorted()
    await world.server.away(async () => {
      // Between two lives of the agent: its first look finds all of it.
      await agent.kill()
      for (const stage of estate.stages) await stage.tamper(placeOf('pull'))
      agent = await start()
      await Promise.all(estate.stages.map((stage) => holds('pull', stage, 'one')))
    })
    const told = async () => (await world.server.request('GET', '/api/v1/audit?action=drift.healed_alone')).body.items
    const items = await until(told, (seen) => seen?.length === drivers.length, PATIENCE_MS)
    const data = items.map((item: { data: { outcome: string; number: number } }) => item.data).toReversed()
    expect(data.map(({ number, outcome }: { number: number; outcome: string }) => [number, outcome])).toEqual(
      drivers.map((_, index) => [index + 1, 'healed']),
    )
  })
})
