import { mkdir, symlink } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { type LiveServer, startLiveServer, until as untilWithin } from '../src/server/testing/live.ts'
import { CHEF_MISSING, chefClient } from './chef/client.ts'
import { type CloudFormationServer, startCloudFormation } from './cloudformation/server.ts'
import { findTool } from './tools.ts'

/**
 * One place under two names, with the real tools: a stack of environment `live` has it, one of `test` reaches for it by
 * another way. The first is deployed when the tests begin.
 */
interface Case {
  driver: string
  missing: string | null
  /** Settings and files of a stack in `path`, whose place is this one; `by` tells the two ways apart. */
  stack(way: { path: string; directory: string; by: 'first' | 'second' }): {
    with?: object
    variables?: object
    files: { [path: string]: string }
  }
}

const without = (tool: string): string | null =>
  findTool(tool) === null ? `${tool} is missing, "npm run tools" installs it` : null
const terraform = findTool('terraform') ? 'terraform' : 'tofu'
const chef = chefClient()
let cloud: CloudFormationServer | undefined

const CASES: Case[] = [
  {
    driver: 'files',
    missing: null,
    stack: ({ path, directory }) => ({
      with: { target: join(directory, 'site') },
      files: { [`${path}/index.html`]: path },
    }),
  },
  {
    driver: 'terraform',
    missing: without(terraform),
    stack: ({ path, directory }) => ({
      with: { tool: terraform },
      files: {
        [`${path}/main.tf`]: `terraform {\n  backend "local" {\n    path = "${join(directory, 'net.tfstate')}"\n  }\n}\noutput "name" {\n  value = "${path}"\n}\n`,
      },
    }),
  },
  {
    driver: 'ansible',
    missing: without('ansible-playbook'),
    stack: ({ path, directory, by }) => ({
      with: { inventory: 'hosts.ini' },
      files: {
        [`${path}/hosts.ini`]: `${by} ansible_connection=local ansible_python_interpreter=/usr/bin/python3\n`,
        [`${path}/site.yml`]: `- hosts: all\n  gather_facts: false\n  tasks:\n    - copy: { dest: "${join(directory, 'playbook.conf')}", content: ${path} }\n`,
      },
    }),
  },
  {
    driver: 'puppet',
    missing: without('puppet'),
    stack: ({ path, directory }) => ({
      files: { [`${path}/manifests/site.pp`]: `file { '${join(directory, 'motd')}': content => '${path}' }\n` },
    }),
  },
  {
    driver: 'chef',
    missing: chef === null ? CHEF_MISSING : null,
    stack: ({ path, directory }) => ({
      with: { runList: ['recipe[app]'] },
      files: {
        [`${path}/cookbooks/app/metadata.rb`]: "name 'app'\nversion '0.1.0'\n",
        [`${path}/cookbooks/app/recipes/default.rb`]: `file '${join(directory, 'recipe.conf')}' do\n  content '${path}'\nend\n`,
      },
    }),
  },
  {
    driver: 'cloudformation',
    missing: null,
    stack: ({ path, by }) => ({
      with: { endpoint: cloud!.url, region: cloud!.account.region, stackName: 'queue', pollSeconds: 0.05 },
      variables: { AWS_ACCESS_KEY_ID: `AKIA${by}`, AWS_SECRET_ACCESS_KEY: 'plain' },
      files: {
        [`${path}/template.yaml`]: `Resources:\n  Queue: { Type: AWS::SQS::Queue, Properties: { QueueName: ${path} } }\n`,
      },
    }),
  },
]

describe('one place under two names', () => {
  let live: LiveServer
  const until = <T>(look: () => Promise<T>, fits: (answer: T) => boolean): Promise<T> =>
    untilWithin(look, fits, 400_000)
  const here = CASES.filter(({ missing }) => missing === null)
  const rules = (directory: string, second: readonly { driver: string; directory: string }[]) => {
    const stacks: object[] = []
    let files: { [path: string]: string } = {}
    const add = (one: Case, environment: string, its: string, by: 'first' | 'second') => {
      const path = `${one.driver}-${environment}`
      const { files: more, ...settings } = one.stack({ path, directory: its, by })
      stacks.push({ path, name: one.driver, environments: [environment], driver: one.driver, ...settings })
      files = { ...files, ...more }
    }
    for (const one of here) add(one, 'live', directory, 'first')
    for (const { driver, directory: its } of second)
      add(here.find((one) => one.driver === driver)!, 'test', its, 'second')
    const environments = { live: { drift: { interval: '1h' } }, test: { drift: { interval: '1h' } } }
    return { 'trueup.yaml': JSON.stringify({ version: 1, environments, stacks }), ...files }
  }
  const real = () => join(live.directory, 'real')
  /** A merge request that brings a second stack, when its plan is there. */
  const second = async (driver: string, directory: string) => {
    const branch = await live.push(`${driver}-${directory.split('/').at(-1)}`, rules(real(), [{ driver, directory }]))
    const { body } = await live.shop('POST', '/merge-requests', { sourceBranch: branch, title: `More ${driver}` })
    return await until(
      async () => (await live.shop('GET', `/merge-requests/${body.number}`)).body,
      ({ planned }) => planned,
    )
  }

  beforeAll(async () => {
    cloud = await startCloudFormation()
    if (chef !== null) vi.stubEnv('PATH', `${chef.directory}${delimiter}${process.env['PATH']}`)
    live = await startLiveServer((directory) => rules(join(directory, 'real'), []))
    await mkdir(real())
    await symlink('real', join(live.directory, 'link'))
    await until(
      async () => (await live.shop('GET', '/stacks')).body.items,
      (stacks) =>
        stacks.length === here.length &&
        stacks.every(({ state }: { state: string }) => !['pending', 'deploying', 'unknown'].includes(state)),
    )
  }, 480_000)
  afterAll(async () => {
    await live?.close()
    await cloud?.close()
    vi.unstubAllEnvs()
  })

  for (const { driver, missing } of CASES)
    it.skipIf(missing !== null)(`${driver} (${missing ?? 'here'})`, { timeout: 480_000 }, async () => {
      const { body } = await live.shop('GET', `/stack?stack=live/${driver}`)
      expect(body.state, JSON.stringify(body)).toBe('in_sync')
      const { mergeable, requirements } = await second(driver, join(live.directory, 'link'))
      expect(mergeable).toBe(false)
      const config = requirements.find(({ name }: { name: string }) => name === 'config')
      expect(config.satisfied).toBe(false)
      expect(config.message).toMatch(new RegExp(`test/${driver}.*live/${driver}|live/${driver}.*test/${driver}`))
    })

  it('two places beside each other are two', { timeout: 480_000 }, async () => {
    await mkdir(join(live.directory, 'real', 'other'))
    const { mergeable, requirements } = await second('files', join(live.directory, 'elsewhere'))
    expect([mergeable, requirements.filter(({ satisfied }: { satisfied: boolean }) => !satisfied)]).toEqual([true, []])
  })
})
