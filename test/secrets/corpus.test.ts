import { mkdir, writeFile } from 'node:fs/promises'
import { delimiter, dirname, join } from 'node:path'
import { randomInt } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { openShell, type Ran, type Shell } from '../../src/cli/testing/process.ts'
import { runProcess } from '../../src/lib/process/run.ts'
import { findTool } from '../tools.ts'
import { startCloudFormation, type CloudFormationServer } from '../cloudformation/server.ts'
import { chefClient } from '../chef/client.ts'
import { CLUSTER_TOOLS, startCluster, type TestCluster } from '../kube/cluster.ts'
import { liveObject } from './cloud-stacks.ts'
import { type Estate, estateOf, failingEstateOf } from './estate.ts'
import { filesBelow, gitObjects, tagsThatTell, UNTAGGED, watchProcesses } from './places.ts'

/**
 * Every driver that runs here says one secret in every place and form that it has, on a real server with a real runner, and
 * everything that the server keeps or tells is searched. The same stacks stand in two environments: in `masked` the variables
 * are secrets, in `open` they are plain, which shows what would be found without the masker.
 */
const ENVIRONMENTS = ['masked', 'open'] as const
const CORES = { masked: `zQm${randomInt(1e9, 9e9)}Wx`, open: `zQo${randomInt(1e9, 9e9)}Wx` }
const canary = (core: string): string => `${core}/ü'"<&> $x\\p ${core}`
/** What the variable held before it was given its value. */
const formerCanary = (core: string): string => `former'${core}'&`
const keyOf = (core: string): string => `BEGIN ${core}\n${core} second <line>\n${core}third&last\n`

const chef = chefClient()
const missing = ['ansible-playbook', 'git', 'puppet', 'python3', ...CLUSTER_TOOLS].filter((tool) => !findTool(tool))
if (!findTool('terraform') && !findTool('tofu')) missing.push('terraform')
if (chef === null) missing.push('ruby')
const title = 'a secret of every driver, in every place and form'
const suite = missing.length === 0 || process.env.TRUEUP_TEST_FORBID_SKIPS ? describe : describe.skip

suite(missing.length === 0 ? title : `${title} (skipped: ${missing.join(', ')} missing)`, { timeout: 600_000 }, () => {
  let shell: Shell
  let url: string
  let work: string
  let token: string
  let endProcesses: () => string[]
  let cluster: TestCluster
  let cloud: CloudFormationServer

  const trueup = (...args: string[]): Promise<Ran> => shell.run(args, { cwd: work })
  const works = async (...args: string[]): Promise<Ran> => {
    const ran = await trueup(...args)
    expect(ran.code, `trueup ${args.join(' ')}: ${ran.err}${ran.out}`).toBe(0)
    return ran
  }
  const git = async (...args: string[]): Promise<void> => {
    const { exitCode, stderr } = await runProcess({ argv: ['git', ...args], cwd: work, env: shell.env })
    expect(exitCode, `git ${args.join(' ')}: ${stderr}`).toBe(0)
  }
  const write = async (files: { [path: string]: string }): Promise<void> => {
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(work, path)), { recursive: true })
      await writeFile(join(work, path), text, { mode: path.endsWith('.py') ? 0o755 : 0o644 })
    }
  }
  const propose = async (branch: string, files: { [path: string]: string }): Promise<void> => {
    await git('switch', '--quiet', '--create', branch, 'main')
    await write(files)
    await git('add', '.')
    await git('commit', '--quiet', '--message', branch)
    await git('push', '--quiet', '--push-option', 'mr', 'origin', 'HEAD')
  }
  const api = async (method: string, path: string, body?: object): Promise<string> => {
    const headers = { authorization: `Bearer ${token}`, ...(body && { 'content-type': 'application/json' }) }
    const answer = await fetch(`${url}/api/v1${path}`, { method, headers, ...(body && { body: JSON.stringify(body) }) })
    const text = Buffer.from(await answer.arrayBuffer()).toString('latin1')
    expect(answer.ok, `${method} ${path}: ${answer.status} ${text.slice(0, 300)}`).toBe(true)
    return text
  }
  const items = async (path: string): Promise<{ [member: string]: string }[]> =>
    JSON.parse(await api('GET', path)).items

  beforeAll(async () => {
    ;[shell, cluster, cloud] = await Promise.all([openShell(), startCluster(), startCloudFormation()])
    shell.env.PATH = `${chef!.directory}${delimiter}${shell.env.PATH}`
    ;({ url } = await shell.up(['--runner-slots', '4']))
    work = join(shell.home, 'work')
    await mkdir(work)
    endProcesses = watchProcesses('zQm')
  })
  afterAll(async () => {
    endProcesses?.()
    await shell?.close()
    await cluster?.stop()
    await cloud?.close()
  })

  it('is told by tools in more than 700 cases, and by Trueup in none', async () => {
    await works('repo', 'create', 'shop')
    token = (await works('token', 'create', '--name', 'corpus', '--scope', 'admin')).out.trim()
    await git('init', '--quiet', '--initial-branch', 'main')
    const environments = Object.fromEntries(ENVIRONMENTS.map((name) => [name, { tier: 'development' }]))
    const clouds = ENVIRONMENTS.map((environment) => {
      const secret = environment === 'masked'
      const core = CORES[environment]
      return {
        environment,
        kubeconfig: cluster.kubeconfig,
        cloudFormation: { url: cloud.url, region: cloud.account.region },
        canary: secret ? '${variables.CANARY}' : canary(core),
        key: secret ? '${variables.CANARY_KEY}' : keyOf(core),
        secret,
      }
    })
    for (const { environment } of clouds) {
      await cluster.api('POST', '/api/v1/namespaces', { metadata: { name: environment } })
      const path = `/api/v1/namespaces/${environment}/configmaps`
      await cluster.api('POST', path, liveObject(formerCanary(CORES[environment])))
    }
    const estate = await Promise.all(
      clouds.map((its) => estateOf(its, shell.home, formerCanary(CORES[its.environment]))),
    )
    const failing = await Promise.all(clouds.map((its) => failingEstateOf(its, shell.home)))
    const config = (stacks: object[]): { [path: string]: string } => ({
      'trueup.yaml': stringify({ version: 1, environments, stacks }),
    })
    const filesFor = (its: readonly Estate[]): { [path: string]: string } => ({
      ...config(its.flatMap(({ entries }) => entries)),
      ...Object.assign({}, ...its.map(({ files }) => files)),
    })
    await write(config([]))
    await git('add', '.')
    await git('commit', '--quiet', '--message', 'Say the rules')
    await git('remote', 'add', 'origin', `${url.replace('//', `//x:${token}@`)}/git/shop.git`)
    await git('push', '--quiet', 'origin', 'HEAD:refs/heads/main')
    await api('PUT', '/repositories/shop/variables', {
      name: 'CANARY',
      value: formerCanary(CORES.masked),
      environment: 'masked',
      secret: true,
    })
    for (const environment of ENVIRONMENTS) {
      const [value, key] = [canary(CORES[environment]), keyOf(CORES[environment])]
      const all = {
        CANARY: value,
        CANARY_KEY: key,
        CANARY_WORD: `${CORES[environment]}word`,
        AWS_ACCESS_KEY_ID: 'AKIATEST',
        AWS_SECRET_ACCESS_KEY: 'not-a-real-key',
        TF_VAR_canary: value,
        TF_VAR_canary_key: key,
      }
      for (const [name, text] of Object.entries(all)) {
        const secret = environment === 'masked' && !name.startsWith('AWS')
        await api('PUT', '/repositories/shop/variables', { name, value: text, environment, secret })
      }
    }
    await propose('all', filesFor(estate))
    await propose('failing', filesFor(failing))
    const shown = [
      await trueup('mr', 'show', '1', '--wait', '--plan'),
      await trueup('mr', 'show', '2', '--wait', '--plan'),
    ]
    await trueup('mr', 'merge', '1', '--wait')
    shown.push(await trueup('status'), await trueup('deployments'))

    const runs = await items('/repositories/shop/runs?limit=100')
    const data = shell.env.TRUEUP_DATA!
    const repository = readdirSync(data, { recursive: true, encoding: 'utf8' }).find((path) => path.endsWith('.git'))!
    const answers: { [place: string]: string } = {
      'command line': shown.map(({ out, err }) => out + err).join('\n'),
      plans: (await Promise.all(runs.map(({ id }) => api('GET', `/runs/${id}`)))).join('\n'),
      logs: (await Promise.all(runs.map(({ id }) => api('GET', `/runs/${id}/log`)))).join('\n'),
      comments: (
        await Promise.all(
          [1, 2].flatMap((number) => [
            api('GET', `/repositories/shop/merge-requests/${number}`),
            api('GET', `/repositories/shop/merge-requests/${number}/comments`),
          ]),
        )
      ).join('\n'),
      'other answers': (
        await Promise.all(
          ['drift', 'overview', 'matrix', 'audit', 'variables', 'runs'].map((name) =>
            api('GET', `/repositories/shop/${name}`),
          ),
        )
      ).join('\n'),
      database: filesBelow(data, (path) => path.endsWith('.db')),
      'write-ahead log': filesBelow(data, (path) => path.endsWith('.db-wal')),
      'other files': filesBelow(data, (path) => !/\.db(-\w+)?$/.test(path)),
      git: gitObjects(join(data, repository)),
      backup: await api('POST', '/server/backup'),
    }
    const told = (environment: (typeof ENVIRONMENTS)[number]) =>
      Object.fromEntries(
        Object.entries(answers).map(([place, text]) => [place, tagsThatTell(text, CORES[environment])]),
      )
    const [hidden, bare] = [told('masked'), told('open')]
    // A page of the database may begin in the middle of a text, where no tag is near.
    const cases = new Set(Object.values(bare).flatMap((tags) => [...tags].filter((tag) => !tag.startsWith(UNTAGGED))))
    const counts = Object.entries(bare).map(([place, tags]) => `${place} ${tags.size}`)
    const hits = Object.entries(hidden).flatMap(([place, tags]) => [...tags].map((tag) => `${place}: ${tag}`))
    process.stdout.write(`${hits.length} hits with the masker; without it ${cases.size} cases: ${counts.join(', ')}\n`)
    expect(hits).toEqual([])
    expect(cases.size).toBeGreaterThan(700)
    const bitten = new Set([...cases].map((tag) => tag.slice(0, tag.indexOf(':'))))
    const stacks = ['ansible', 'chef', 'cloudformation', 'exec', 'files', 'kubernetes', 'puppet', 'shell', 'terraform']
    expect(bitten).toEqual(new Set(stacks))
    // Nothing comes to files beside the database; to Git comes what sources say in so many words.
    const unbitten = Object.entries(bare).flatMap(([place, tags]) => (tags.size === 0 ? [place] : []))
    expect(unbitten).toEqual(['other files'])
    expect(endProcesses()).toEqual([])
  })
})
