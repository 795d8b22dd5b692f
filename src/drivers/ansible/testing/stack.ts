import { readFile } from 'node:fs/promises'
import { type SourceFile, type TestContext, type TestContextOptions, testContext } from '../../testing/context.ts'
import { AnsibleConfig } from '../config.ts'

/** What a stack needs of the hosts that `test/hosts` makes. */
interface Hosts {
  hosts: { name: string; address: string }[]
  knownHosts: string
  identity: string
}

/** Hosts, and the playbook or task list, of a test's stack. */
export interface AnsibleStack extends Partial<Omit<TestContextOptions<AnsibleConfig>, 'config' | 'files' | 'env'>> {
  env?: { [name: string]: string }
  with?: { [key: string]: unknown }
  files?: { [path: string]: SourceFile }
}

/** A stack in `stack/` whose inventory names these hosts, with their keys and the private key as variable SSH_KEY. */
export async function ansibleStack(
  world: Hosts,
  { with: settings, files, env, ...options }: AnsibleStack,
): Promise<TestContext<AnsibleConfig>> {
  return testContext({
    ...options,
    config: AnsibleConfig.parse({
      inventory: 'hosts.ini',
      knownHosts: 'known_hosts',
      privateKey: 'SSH_KEY',
      user: 'root',
      timeout: 3,
      ...settings,
    }),
    files: {
      'stack/hosts.ini': inventoryOf(world),
      'stack/known_hosts': await readFile(world.knownHosts, 'utf8'),
      ...files,
    },
    env: { SSH_KEY: await readFile(world.identity, 'utf8'), ...env },
  })
}

const inventoryOf = ({ hosts }: Hosts): string =>
  [
    '[web]',
    ...hosts.map(({ name, address }) => `${name} ansible_host=${address}`),
    '[web:vars]',
    'ansible_python_interpreter=/usr/bin/python3',
    '',
  ].join('\n')

/** A play of these tasks (YAML, at the margin) on all hosts, without facts. */
export const playOf = (tasks: string, more = ''): string =>
  `- hosts: web\n  gather_facts: false\n${more}  tasks:\n${tasks
    .trim()
    .split('\n')
    .map((line) => `    ${line}`)
    .join('\n')}\n`
