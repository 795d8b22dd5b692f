import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { until } from '../../src/server/testing/live.ts'
import { makeMirror, providerEnvironment, useProvider } from '../terraform-provider/mirror.ts'
import { findTool, toolsDirectory } from '../tools.ts'
import { type AgentWorld, startAgentWorld } from './world.ts'

/** A stack of one driver, in both environments; what is shared lies beside their directories. */
interface Case {
  driver: string
  missing: string | null
  settings: (mirror: string) => object
  /** `to`: the file that the stack makes. */
  stack: (to: string) => { [file: string]: string }
  shared: (release: string) => { [file: string]: string }
}

/** The same stacks in push mode, by the server's own runner, and in pull mode, by the agent. */
const ENVIRONMENTS = ['push', 'pull'] as const
type Environment = (typeof ENVIRONMENTS)[number]
const PATIENCE_MS = 120_000

const without = (tool: string) => (findTool(tool) ? null : `${tool} is missing, "npm run tools" installs it`)
const terraform = findTool('terraform') ? 'terraform' : 'tofu'

const CASES: Case[] = [
  {
    driver: 'ansible',
    missing: without('ansible-playbook'),
    settings: () => ({ with: { inventory: 'hosts.ini' } }),
    stack: (to) => ({
      'hosts.ini': 'here ansible_connection=local ansible_python_interpreter=/usr/bin/python3\n',
      'ansible.cfg': '[defaults]\nroles_path = ../roles\n',
      'site.yml': `- hosts: all\n  gather_facts: false\n  vars: { to: ${JSON.stringify(to)} }\n  roles: [app]\n`,
    }),
    shared: (release) => ({
      'roles/app/tasks/main.yml':
        '- name: Say the release\n  template: { src: app.j2, dest: "{{ to }}", mode: "0644" }\n',
      'roles/app/templates/app.j2': `${release}\n`,
    }),
  },
  {
    driver: 'terraform',
    missing: without(terraform),
    settings: (mirror) => ({ with: { tool: terraform }, variables: providerEnvironment(mirror) }),
    stack: (to) => ({ 'main.tf': `${useProvider(join(to, '..'))}module "app" {\n  source = "../modules/app"\n}\n` }),
    shared: (release) => ({
      'modules/app/main.tf': `${useProvider('').split('provider "')[0]}resource "hostfile_file" "app" {
  path    = "/terraform"
  content = "${release}\\n"
}
`,
    }),
  },
  {
    driver: 'puppet',
    missing: without('puppet'),
    settings: () => ({ with: { modulepath: ['../modules'] } }),
    stack: (to) => ({ 'manifests/site.pp': `class { 'app': to => '${to}' }\n` }),
    shared: (release) => ({
      'modules/app/manifests/init.pp': `class app(String $to) {\n  file { $to: content => epp('app/app.epp') }\n}\n`,
      'modules/app/templates/app.epp': `${release}\n`,
    }),
  },
]
const here = CASES.filter(({ missing }) => missing === null)
const below = (directory: string, files: { [path: string]: string }) =>
  Object.fromEntries(Object.entries(files).map(([path, text]) => [`${directory}/${path}`, text]))

interface Planned {
  kind: string
  state: string
  worker: string | null
  plan: { changes: object[] } | null
}

describe('push and pull from one merge request', { timeout: 3 * PATIENCE_MS }, () => {
  let world: AgentWorld
  const fileOf = (environment: Environment, driver: string) => join(world.target, environment, driver)
  const holds = (file: string, text: string) =>
    until(
      async () => (existsSync(file) ? readFileSync(file, 'utf8') : null),
      (seen) => seen === text,
      PATIENCE_MS,
    )
  const release = (name: string) =>
    world.change(
      name,
      undefined,
      Object.assign(
        {},
        ...here.map(({ driver, stack, shared }) => ({
          ...below(driver, shared(name)),
          ...below(`${driver}/push`, stack(fileOf('push', driver))),
          ...below(`${driver}/pull`, stack(fileOf('pull', driver))),
        })),
      ),
    )
  const everywhere = (work: (environment: Environment, driver: string) => Promise<unknown>) =>
    Promise.all(here.flatMap(({ driver }) => ENVIRONMENTS.map((environment) => work(environment, driver))))
  const at = (environment: Environment, driver: string) => `${environment}/${driver}`
  const inSync = (environment: Environment, driver: string) =>
    until(
      async () => (await world.server.shop('GET', `/stack?stack=${at(environment, driver)}`)).body,
      ({ status }) => status === 'in_sync',
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
      JSON.parse(JSON.stringify(value).replaceAll(`/target/${environment}/`, '/target/ENVIRONMENT/')) as unknown
    return runs.map(({ kind, state, plan, worker }) => ({ kind, state, worker, changes: plain(plan?.changes ?? null) }))
  }

  beforeAll(async () => {
    vi.stubEnv('PATH', `${process.env['PATH']}${delimiter}${toolsDirectory}`)
    world = await startAgentWorld({}, (target) =>
      JSON.stringify({
        version: 1,
        environments: {
          push: { drift: { mode: 'enforce', interval: '1d' } },
          pull: { drift: { mode: 'enforce', interval: '1d' }, workers: 'edge' },
        },
        stacks: here.map(({ driver, settings }) => ({
          // A glob, since no directory is there before the merge request.
          path: `${driver}*/{environment}`,
          driver,
          ...settings(join(target, '..', 'mirror')),
        })),
      }),
    )
    await makeMirror(join(world.target, '..', 'mirror'))
    for (const environment of ENVIRONMENTS) mkdirSync(join(world.target, environment))
    await world.start({ aloneAfterMs: 1_000 })
    await release('one')
    await everywhere((environment, driver) => holds(fileOf(environment, driver), 'one\n'))
    await everywhere(inSync)
    await everywhere(async (environment, driver) => {
      writeFileSync(fileOf(environment, driver), 'by hand\n')
      await world.server.shop('POST', '/drift/checks', { stack: at(environment, driver) })
    })
    await everywhere((environment, driver) => holds(fileOf(environment, driver), 'one\n'))
    await everywhere(inSync)
  }, 5 * PATIENCE_MS)
  afterAll(async () => {
    vi.unstubAllEnvs()
    await world?.close()
  })

  for (const { driver, missing } of CASES)
    it.skipIf(missing !== null)(`${driver}: nothing differs but the worker (${missing ?? 'here'})`, async () => {
      const [push, pull] = await Promise.all(ENVIRONMENTS.map((environment) => history(environment, driver)))
      const done = (runs: typeof push) => runs!.map(({ kind, state, changes }) => ({ kind, state, changes }))
      expect(done(pull)).toEqual(done(push))
      expect(done(pull).map(({ kind, state }) => `${kind} ${state}`)).toEqual([
        'preview succeeded',
        'deploy succeeded',
        'heal succeeded',
      ])
      const { items } = (await world.server.request('GET', '/api/v1/workers')).body
      const agent = items.find(({ name }: { name: string }) => name === 'edge-1').id
      expect(new Set(pull!.map(({ worker }) => worker))).toEqual(new Set([agent]))
      expect(push!.map(({ worker }) => worker)).not.toContain(agent)
    })

  it.skipIf(here.length === 0)('the agent heals each of them with the server away', async () => {
    await world.server.away(async () => {
      for (const { driver } of here) writeFileSync(fileOf('pull', driver), 'by hand again\n')
      await Promise.all(here.map(({ driver }) => holds(fileOf('pull', driver), 'one\n')))
    })
    const told = async () => (await world.server.request('GET', '/api/v1/audit?action=drift.healed_alone')).body.items
    const items = await until(told, (seen) => seen?.length === here.length, PATIENCE_MS)
    expect(items.map(({ data }: { data: { outcome: string } }) => data.outcome)).toEqual(here.map(() => 'healed'))
  })
})
