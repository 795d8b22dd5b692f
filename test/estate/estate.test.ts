import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { delimiter, dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openShell, type Ran, type Shell } from '../../src/cli/testing/process.ts'
import { runProcess } from '../../src/lib/process/run.ts'
import { type TestHosts, hostsMissing, upHosts } from '../hosts/hosts.ts'
import { CLUSTER_TOOLS, startCluster, type TestCluster } from '../kube/cluster.ts'
import { makeMirror } from '../terraform-provider/mirror.ts'
import { findTool, toolsDirectory } from '../tools.ts'
import { estate, type Places, type Wish } from './sources.ts'

/**
 * One merge request that changes a Terraform, a Puppet, an Ansible and a Kubernetes stack, the last three fed by outputs of
 * the first: planned, approved, merged, deployed, tampered with and healed. Every tool and every target is real. The steps
 * build on one another.
 */
const FIRST: Wish = { release: 'v1', motd: 'Welcome' }
const SECOND: Wish = { release: 'v2', motd: 'Welcome back' }
const STACKS = ['apps/site', 'hosts/base', 'hosts/web', 'network'].map((name) => `production/${name}`)

const missing = [
  hostsMissing(),
  ...[...CLUSTER_TOOLS, 'ansible-playbook', 'puppet'].map((tool) => (findTool(tool) ? null : `${tool} is missing`)),
  (findTool('terraform') ?? findTool('tofu')) ? null : 'terraform and tofu are missing',
].filter((why) => why !== null)
const forbidden = (process.env.TRUEUP_TEST_FORBID_SKIPS ?? '').split(',').includes('estate')
const title =
  missing.length === 0 ? 'an estate of four tools' : `an estate of four tools (skipped: ${missing.join(', ')})`
const run = missing.length === 0 || forbidden ? describe : describe.skip

run(title, { timeout: 180_000 }, () => {
  let hosts: TestHosts
  let cluster: TestCluster
  let shell: Shell
  let url: string
  let work: string
  let places: Places
  let bob: { TRUEUP_URL: string; TRUEUP_TOKEN: string }

  const trueup = (...args: string[]): Promise<Ran> => shell.run(args, { cwd: work })
  const works = async (...args: string[]): Promise<Ran> => {
    const ran = await trueup(...args)
    expect(ran.code, `trueup ${args.join(' ')}: ${ran.err}${ran.out}`).toBe(0)
    return ran
  }
  const json = async (...args: string[]) => (await works(...args, '--output', 'json')).json
  const git = async (...args: string[]): Promise<string> => {
    const { exitCode, stdout, stderr } = await runProcess({ argv: ['git', ...args], cwd: work, env: shell.env })
    expect(exitCode, `git ${args.join(' ')}: ${stderr}`).toBe(0)
    return stdout + stderr
  }
  const commit = async (message: string, wish: Wish): Promise<void> => {
    for (const [path, text] of Object.entries(estate(places, wish))) {
      await mkdir(dirname(join(work, path)), { recursive: true })
      await writeFile(join(work, path), text, { mode: path.endsWith('.py') ? 0o755 : 0o644 })
    }
    await git('add', '.')
    await git('commit', '--quiet', '--message', message)
  }
  const propose = async (branch: string, message: string, wish: Wish): Promise<string> => {
    await git('fetch', '--quiet', 'origin')
    await git('switch', '--quiet', '--create', branch, 'origin/main')
    await commit(message, wish)
    await git('push', '--quiet', '--push-option', 'mr', 'origin', 'HEAD')
    const { out, err } = await trueup('mr', 'show', '--wait', '--plan')
    return out + err
  }
  /** Approves as somebody else, merges, and waits for every deployment. */
  const land = async (number: string): Promise<string> => {
    const approved = await shell.run(['mr', 'approve', number], { cwd: work, env: bob })
    expect(approved.code, approved.err).toBe(0)
    return (await works('mr', 'merge', number, '--wait')).out
  }
  const configMap = async () =>
    (await cluster.api('GET', '/api/v1/namespaces/site/configmaps/site')).body.data as { [key: string]: string }
  /** What there really is, at all four targets. */
  const reality = async () => ({
    release: await readFile(join(places.records, 'release'), 'utf8'),
    motd: await Promise.all([1, 2].map((n) => hosts.exec(n, 'cat /etc/motd'))),
    site: await Promise.all([1, 2].map((n) => hosts.exec(n, 'cat /srv/site/release'))),
    configMap: (await configMap()).release,
  })
  const wanted = ({ release, motd }: Wish) => ({
    release,
    motd: [`${motd}\n`, `${motd}\n`],
    site: [`${release}\n`, `${release}\n`],
    configMap: release,
  })

  beforeAll(async () => {
    ;[hosts, cluster, shell] = await Promise.all([upHosts(2), startCluster(), openShell()])
    // The server's runner looks for tools on its own PATH.
    shell.env.PATH = `${shell.env.PATH}${delimiter}${toolsDirectory}`
    ;({ url } = await shell.up(['--runner-slots', '4']))
    places = {
      records: join(shell.home, 'records'),
      mirror: join(shell.home, 'mirror'),
      kubeconfig: cluster.kubeconfig,
      hosts: hosts.hosts.map(({ address }) => address),
    }
    work = join(shell.home, 'estate')
    await Promise.all([mkdir(places.records), mkdir(work), makeMirror(places.mirror)])
  })
  afterAll(async () => {
    await shell?.close()
    await Promise.all([hosts?.close(), cluster?.stop()])
  })

  it('begins with a repository, two people and the keys of the hosts', async () => {
    await works('repo', 'create', 'estate')
    const main = join(import.meta.dirname, '..', '..', 'src', 'cli', 'main.ts')
    const helper = `!${process.execPath} --disable-warning=ExperimentalWarning ${main} git-credential`
    await git('config', '--global', `credential.${url}.helper`, helper)
    await works('user', 'add', 'bob', '--email', 'bob@example.org')
    await works('member', 'set', 'estate', 'bob', 'maintainer')
    const token = (await works('token', 'create', '--user', 'bob', '--name', 'laptop')).out.trim()
    bob = { TRUEUP_URL: url, TRUEUP_TOKEN: token }
    await git('init', '--quiet', '--initial-branch', 'main')
    await writeFile(join(work, 'README.md'), 'The estate\n')
    await git('add', '.')
    await git('commit', '--quiet', '--message', 'Begin')
    await git('remote', 'add', 'origin', `${url}/git/estate.git`)
    await git('push', '--quiet', 'origin', 'HEAD:refs/heads/main')
    for (const [name, file] of [
      ['SSH_KEY', hosts.identity],
      ['SSH_KNOWN_HOSTS', hosts.knownHosts],
    ] as const) {
      const input = await readFile(file, 'utf8')
      const set = await shell.run(['variable', 'set', name, '--keep-newline'], { cwd: work, input })
      expect(set.code, set.err).toBe(0)
    }
  })

  it('plans four tools in one merge request, downstream ones with predicted values', async () => {
    const shown = await propose('first', 'Build the estate', FIRST)
    for (const stack of STACKS) expect(shown).toContain(stack)
    expect(shown).toMatch(/not\s+wholly checked until production\/network is deployed/)
    const mr = await json('mr', 'show', '1')
    expect(mr.stacks.map((one: { stack: string }) => one.stack).sort()).toEqual(STACKS)
    expect(mr.stacks.map((one: { state: string }) => one.state)).toEqual(STACKS.map(() => 'succeeded'))
    // Nothing of it is there yet.
    expect((await cluster.api('GET', '/api/v1/namespaces/site')).status).toBe(404)
  })

  it('deploys them in order once it is approved and merged', async () => {
    const { out } = { out: await land('1') }
    for (const stack of STACKS) expect(out).toContain(`${stack}: succeeded`)
    expect(await reality()).toEqual(wanted(FIRST))
  })

  it('has nothing left to do', async () => {
    const check = await trueup('drift', 'check', '--environment', 'production', '--wait')
    expect([check.code, check.out], check.err).toEqual([0, expect.stringContaining('No drift.')])
    expect((await works('status')).out).toContain('4 in sync')
  })

  it('takes one changed output through all of them', async () => {
    const shown = await propose('second', 'Release v2', SECOND)
    for (const stack of STACKS) expect(shown).toContain(stack)
    const out = await land('2')
    for (const stack of STACKS) expect(out).toContain(`${stack}: succeeded`)
    expect(await reality()).toEqual(wanted(SECOND))
  })

  it('finds what was changed by hand at every target, and heals it', async () => {
    await writeFile(join(places.records, 'release'), 'by hand')
    await hosts.exec(1, 'echo defaced > /etc/motd')
    await hosts.exec(2, 'echo v0 > /srv/site/release')
    const patch = { data: { release: 'v0' } }
    const path = '/api/v1/namespaces/site/configmaps/site?fieldManager=somebody'
    expect((await cluster.api('PATCH', path, patch, 'application/merge-patch+json')).status).toBe(200)
    await trueup('drift', 'check', '--environment', 'production', '--wait')
    await expect.poll(reality, { timeout: 120_000, interval: 500 }).toEqual(wanted(SECOND))
    const found = (await json('drift', 'list', '--state', 'all')) as { stack: string; attribute?: string }[]
    expect([...new Set(found.map(({ stack }) => stack))].sort()).toEqual(STACKS)
    await expect.poll(async () => (await works('status')).out, { timeout: 180_000 }).toContain('4 in sync')
  })

  it('never showed the key of the hosts', async () => {
    const key = (await readFile(hosts.identity, 'utf8')).split('\n')[2]!
    const runs = await json('run', 'list')
    for (const { id } of runs) expect((await trueup('run', 'logs', id)).out).not.toContain(key)
  })
})
