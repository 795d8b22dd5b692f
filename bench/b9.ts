import { spawnSync } from 'node:child_process'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { hostsMissing, type TestHosts, upHosts } from '../test/hosts/hosts.ts'
import { AnsibleConfig } from '../src/drivers/ansible/config.ts'
import { ansibleDriver } from '../src/drivers/ansible/index.ts'
import { testContext } from '../src/drivers/testing/context.ts'
import {
  baseEnvironment,
  type Benchmark,
  type BenchOptions,
  type BenchOutcome,
  comparePairs,
  type Contestant,
  findProgram,
  outcomeOf,
} from './harness.ts'
import { treeCpuSeconds } from './process-cpu.ts'

const HOSTS = 20
const AIM = 1.03

const PLAYBOOK = `- hosts: web
  gather_facts: false
  tasks:
    - name: Make the directory
      file: { path: /etc/bench, state: directory, mode: "0755" }
    - name: Write files
      copy: { dest: "/etc/bench/{{ item }}", content: "{{ item }} on {{ inventory_hostname }}\\n", mode: "0644" }
      loop: [one, two, three]
    - name: Link
      file: { path: /etc/bench-link, src: /etc/hostname, state: link }
`

/** What a check of a play costs beside Ansible itself: same playbook, hosts, SSH settings and forks on both sides. */
export const b9: Benchmark = {
  id: 'B9',
  title: `plan of an Ansible play on ${HOSTS} hosts over SSH, against ansible-playbook --check --diff`,
  aim: `≤ ${AIM}× ansible-playbook with the same settings`,
  run,
}

async function run(options: BenchOptions): Promise<BenchOutcome> {
  const ansible = findProgram('ansible-playbook')
  const missing = ansible === null ? 'ansible-playbook is not on PATH' : hostsMissing()
  if (missing !== null) throw new Error(missing)
  const world = await upHosts(HOSTS)
  try {
    const files = await writeStack(options.directory, world)
    const report = await comparePairs(trueup(world, files), floor(ansible!, world, files), options)
    return outcomeOf(report, report.cpu.median <= AIM, { hosts: HOSTS })
  } finally {
    await world.close()
  }
}

interface Files {
  directory: string
  inventory: string
}

async function writeStack(base: string, { hosts }: TestHosts): Promise<Files> {
  const directory = join(base, 'bare')
  const lines = hosts.map(
    ({ name, address }) => `${name} ansible_host=${address} ansible_python_interpreter=/usr/bin/python3`,
  )
  const inventory = `[web]\n${lines.join('\n')}\n`
  await mkdir(directory)
  await writeFile(join(directory, 'site.yml'), PLAYBOOK)
  await writeFile(join(directory, 'hosts.ini'), inventory)
  return { directory, inventory }
}

/** In this process, as in a runner: what a plan costs it and all that it starts. */
function trueup({ knownHosts, identity }: TestHosts, { inventory }: Files): Contestant {
  let planned = ''
  return {
    name: 'trueup',
    argv: [],
    async measure() {
      const context = await testContext({
        config: AnsibleConfig.parse({
          inventory: 'hosts.ini',
          knownHosts: 'known_hosts',
          privateKey: 'SSH_KEY',
          user: 'root',
        }),
        files: {
          'stack/site.yml': PLAYBOOK,
          'stack/hosts.ini': inventory,
          'stack/known_hosts': await readFile(knownHosts, 'utf8'),
        },
        env: { SSH_KEY: await readFile(identity, 'utf8') },
      })
      try {
        const [cpuBefore, startedAt] = [treeCpuSeconds(process.pid), performance.now()]
        const { changes } = await ansibleDriver.plan(context)
        const wallSeconds = (performance.now() - startedAt) / 1000
        const cpuSeconds = treeCpuSeconds(process.pid) - cpuBefore
        planned = `${new Set(changes.map(({ address }) => address.split(':')[0])).size} changed`
        return { exitCode: 0, stdout: '', stderr: '', wallSeconds, cpuSeconds }
      } finally {
        await context.remove()
      }
    },
    proof: () => Promise.resolve(planned),
  }
}

function floor(ansible: string, { knownHosts, identity }: TestHosts, { directory }: Files): Contestant {
  let runs = 0
  const sockets = () => join(directory, `cm${runs}`)
  const ssh = `-o ControlMaster=auto -o ControlPersist=60s -o StrictHostKeyChecking=yes -o UserKnownHostsFile=${knownHosts}`
  return {
    name: 'ansible-playbook',
    argv: [ansible, '--check', '--diff', '-i', 'hosts.ini', '-u', 'root', '--private-key', identity, 'site.yml'],
    cwd: directory,
    async prepare() {
      runs++
      this.env = { ...this.env, ANSIBLE_SSH_CONTROL_PATH_DIR: sockets() }
    },
    env: {
      ...baseEnvironment(),
      LC_ALL: 'C.UTF-8',
      ANSIBLE_HOME: join(directory, 'home'),
      ANSIBLE_FORKS: '25',
      ANSIBLE_PIPELINING: 'True',
      ANSIBLE_SSH_ARGS: ssh,
      ANSIBLE_NOCOLOR: '1',
    },
    // `host1 : ok=3 changed=3 …`, with as many changed tasks as we say.
    proof: async ({ stdout }) => {
      // Connections that stay open would make the next run cheaper.
      for (const socket of await readdir(sockets()))
        spawnSync('ssh', ['-F', 'none', '-o', `ControlPath=${join(sockets(), socket)}`, '-O', 'exit', 'bench'])
      const counts = [...stdout.matchAll(/changed=(\d+)/g)].map(([, count]) => Number(count))
      return `${counts.reduce((sum, count) => sum + count, 0)} changed`
    },
  }
}
