import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { z } from 'zod'
import { type Client, createClient } from '../../src/cli/client.ts'
import { collect } from '../../src/cli/output.ts'
import { createWorkingCopy, type WorkingCopy } from '../../src/cli/demo/working-copy.ts'
import { MrDetail, MrSummary } from '../../src/server/schemas/merge-requests.ts'
import { CreatedToken, User } from '../../src/server/schemas/people.ts'
import { RunSummary } from '../../src/server/schemas/plans.ts'
import { Repository } from '../../src/server/schemas/repositories.ts'
import { Stack } from '../../src/server/schemas/stacks.ts'
import { type Ledger, openLedger } from './ledger.ts'
import { freePort } from '../../src/lib/testing/free-port.ts'
import { type FaultServer, type ServerOptions, startServer } from './server.ts'
import { fixedSources, LEDGER_STACKS, healStack, type Sources, wantedSources } from './stacks.ts'
import { until } from './wait.ts'

export const REPOSITORY = '/api/v1/repositories/faults'

/** One server under attack, with a repository, two people and everything that stands around it. */
export interface World {
  readonly directory: string
  readonly target: string
  readonly workDir: string
  readonly options: ServerOptions
  readonly ledger: Ledger
  readonly terraform: string | null
  server: FaultServer
  readonly admin: Client
  /** Writes. */
  readonly ada: Client
  /** Approves. */
  readonly bob: Client
  readonly copy: WorkingCopy
  /** Starts the server anew on the same data directory and port. */
  restart(): Promise<void>
  /** Pushes a branch that gives every stack new content (or these files) and opens its MR; resolves when it is planned. */
  propose(id: string, files?: Sources): Promise<MrDetail>
  approve(number: number): Promise<MrDetail>
  merge(number: number): Promise<MrDetail>
  mr(number: number): Promise<MrDetail>
  stacks(): Promise<Stack[]>
  /** State-changing runs of an MR, newest first. */
  runs(number: number): Promise<RunSummary[]>
  close(): Promise<void>
}

export interface WorldOptions {
  lease: string
  /** Leave everything where it is afterwards. */
  keep: boolean
  terraform: string | null
  /** Stacks to be healed, `heal-1` and on. */
  heals?: number
  /** Where the server keeps its data; a directory of its own where absent. */
  dataDir?: string
  /** Where data, workspaces and what is deployed lie; with everything else where absent. */
  disk?: string
  /** The program, of another revision. */
  main?: string
}

export async function createWorld({
  lease,
  keep,
  terraform,
  heals = 0,
  dataDir,
  disk,
  main,
}: WorldOptions): Promise<World> {
  const directory = await mkdtemp(join(tmpdir(), 'trueup-faults-'))
  const paths = {
    world: join(directory, 'world'),
    target: join(disk ?? directory, 'target'),
    workDir: join(disk ?? directory, 'work'),
    dataDir: dataDir ?? join(disk ?? directory, 'data'),
  }
  for (const path of [paths.world, paths.target, paths.workDir]) await mkdir(path)
  const options: ServerOptions = {
    dataDir: paths.dataDir,
    port: await freePort(),
    hold: paths.world,
    logFile: join(directory, 'server.log'),
    slots: 14,
    lease,
    workDir: paths.workDir,
    ...(main !== undefined && { main }),
  }
  const server = await startServer(options)
  const admin = clientOf(server.url, await server.adminToken())
  const [ada, bob] = [await addPerson(admin, server.url, 'ada'), await addPerson(admin, server.url, 'bob')]
  const { gitUrl } = await admin.send('POST', '/api/v1/repositories', Repository, { name: 'faults' })
  for (const name of ['ada', 'bob'])
    await admin.send('PUT', `${REPOSITORY}/members/${name}`, z.unknown(), { role: 'deployer' })
  const copy = await createWorkingCopy(join(directory, 'clone'), ada, gitUrl)
  const fixed = fixedSources({ world: paths.world, target: paths.target, terraform, heals })
  await copy.commit('Begin', { 'README.md': 'faults\n' })
  await copy.git('push', '--quiet', 'origin', 'main')

  const world: World = {
    directory,
    target: paths.target,
    workDir: paths.workDir,
    options,
    ledger: openLedger(paths.world, [
      ...LEDGER_STACKS,
      'files',
      'terraform',
      ...Array.from({ length: heals }, (_, index) => healStack(index + 1)),
    ]),
    terraform,
    server,
    admin,
    ada: ada.client,
    bob: bob.client,
    copy,
    async restart() {
      world.server = await startServer(options)
    },
    async propose(id, files = { ...fixed, ...wantedSources(id, terraform) }) {
      await copy.git('fetch', '--quiet', 'origin')
      await copy.git('switch', '--quiet', '--create', id, 'origin/main')
      await copy.commit(id, files)
      await copy.git('push', '--quiet', '--push-option', 'mr', 'origin', id)
      let number = 0
      await until(`the merge request of ${id}`, async () => {
        for await (const mr of world.ada.all(`${REPOSITORY}/merge-requests`, MrSummary))
          if (mr.sourceBranch === id) number = mr.number
        return number > 0
      })
      await until(
        `the plans of !${number}`,
        async () => (await world.mr(number)).planned,
        360_000,
        async () => JSON.stringify((await world.mr(number)).stacks.map(({ stack, state }) => [stack, state])),
      )
      return await world.mr(number)
    },
    async approve(number) {
      const { head, digests } = await world.mr(number)
      const path = `${REPOSITORY}/merge-requests/${number}/reviews`
      return await world.bob.send('POST', path, MrDetail, { verdict: 'approve', head, digests })
    },
    merge: (number) => world.ada.send('POST', `${REPOSITORY}/merge-requests/${number}/merge`, MrDetail, {}),
    mr: (number) => world.ada.get(`${REPOSITORY}/merge-requests/${number}`, MrDetail),
    stacks: () => collect(world.ada.all(`${REPOSITORY}/stacks`, Stack)),
    async runs(number) {
      const all = await collect(world.ada.all(`${REPOSITORY}/runs`, RunSummary, { mr: number }))
      return all.filter(({ kind }) => kind !== 'preview' && kind !== 'drift')
    },
    async close() {
      await world.ledger.releaseAll()
      await world.server.stop()
      if (!keep) await rm(directory, { recursive: true, force: true })
    },
  }
  return world
}

const clientOf = (url: string, token: string): Client => createClient({ url, token, source: 'environment' })

async function addPerson(admin: Client, url: string, name: string) {
  const email = `${name}@example.test`
  await admin.send('POST', '/api/v1/users', User, { name, email })
  const wish = { name: 'faults', user: name, scopes: ['write'] }
  const { token } = await admin.send('POST', '/api/v1/tokens', CreatedToken, wish)
  return { name, email, token, client: clientOf(url, token) }
}

/** Name of the tool on PATH, or null. */
export async function findTerraform(): Promise<'terraform' | 'tofu' | null> {
  for (const tool of ['terraform', 'tofu'] as const) {
    const env = { ...process.env, CHECKPOINT_DISABLE: '1' }
    const found = await promisify(execFile)(tool, ['version'], { env }).then(
      () => true,
      () => false,
    )
    if (found) return tool
  }
  return null
}
