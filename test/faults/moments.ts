import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { MrDetail } from '../../src/server/schemas/merge-requests.ts'
import { RunSummary } from '../../src/server/schemas/plans.ts'
import type { Acknowledged } from './acknowledged.ts'
import { inspect } from './inspect.ts'
import { settle } from './person.ts'
import { isAlive, processesWith } from './processes.ts'
import { freePort } from '../../src/lib/testing/free-port.ts'
import { launch, startServer } from './server.ts'
import type { Tally } from './tally.ts'
import { Stuck, until } from './wait.ts'
import { REPOSITORY, type World } from './world.ts'

export interface Moment {
  world: World
  facts: Acknowledged
  tally: Tally
  /** Unique in the test; names branches. */
  id: string
  settleMs: number
}

const gitDirectories = (world: World): string[] => {
  const root = join(world.options.dataDir, 'repositories')
  return readdirSync(root)
    .filter((name) => name.endsWith('.git'))
    .map((name) => join(root, name))
}

/** In the middle of `receive-pack`: what was acknowledged is there, what was not can be pushed again. */
export async function killInPush({ world, facts, tally, id }: Moment): Promise<string> {
  const { copy } = world
  await copy.git('fetch', '--quiet', 'origin')
  await copy.git('switch', '--quiet', '--create', id, 'origin/main')
  await writeFile(join(copy.directory, 'blob.bin'), randomBytes(3 * 1024 * 1024))
  await copy.git('add', '--all')
  await copy.git('commit', '--quiet', '--message', id)
  const oid = (await copy.git('rev-parse', 'HEAD')).trim()
  const pushed = copy.git('push', '--quiet', 'origin', id).then(
    () => true,
    () => false,
  )
  const receiving = (): boolean =>
    gitDirectories(world).some((directory) =>
      readdirSync(join(directory, 'objects')).some((name) => name.startsWith('tmp_objdir')),
    )
  let answered = false
  void pushed.then(() => (answered = true))
  while (!answered && !receiving()) await sleep(2)
  await sleep(Math.random() * 150)
  await world.server.kill()
  tally.kills += 1
  const acknowledged = await pushed
  await world.restart()
  if (acknowledged) facts.pushed(`refs/heads/${id}`, oid)
  // No lock may stand in the way, and the same objects may come once more.
  await until(
    'the push goes through after the restart',
    () =>
      copy.git('push', '--quiet', 'origin', id).then(
        () => true,
        () => false,
      ),
    180_000,
  )
  facts.pushed(`refs/heads/${id}`, oid)
  await copy.git('switch', '--quiet', '--detach', 'origin/main')
  await facts.check(tally)
  return acknowledged ? 'the push had been acknowledged' : 'the push had not been acknowledged'
}

/** Around the three steps of a merge: the MR is merged once, or open and can be merged. */
export async function killInMerge({ world, facts, tally, id }: Moment): Promise<string> {
  const mr = await world.propose(id, { [`notes/${id}`]: `${id}\n` })
  const answer = world.ada
    .send('POST', `${REPOSITORY}/merge-requests/${mr.number}/merge`, MrDetail, {})
    .catch(() => null)
  await sleep(Math.random() * 120)
  await world.server.kill()
  tally.kills += 1
  await world.restart()
  // The client asks again by itself, under the same key.
  const acknowledged = await answer
  const after = await world.mr(mr.number)
  if (acknowledged && after.state !== 'merged') tally.lost.push(`merge of !${mr.number}: it is ${after.state}`)
  const merged = after.state === 'merged' ? after : await world.merge(mr.number)
  facts.merged(mr.number, merged.mergeCommit ?? '')
  await world.copy.git('fetch', '--quiet', 'origin')
  const subjects = await world.copy.git(
    'log',
    '--merges',
    '--format=%b%s',
    '--fixed-strings',
    `--grep=${id}`,
    'origin/main',
  )
  const times = subjects.split('\n').filter((line) => line.includes(id)).length
  if (times > 2) tally.repeated.push(`merge of !${mr.number}: ${subjects}`)
  await facts.check(tally)
  return after.state === 'merged' ? 'the merge had been made' : 'the merge was made afterwards'
}

/** While a backup is written: nothing of it stays, and the next one is whole. */
export async function killInBackup({ world, facts, tally }: Moment): Promise<string> {
  const half = world.admin.download('POST', '/api/v1/server/backup').then(
    (response) => response.arrayBuffer(),
    () => null,
  )
  await sleep(Math.random() * 150)
  await world.server.kill()
  tally.kills += 1
  await half.catch(() => null)
  await world.restart()
  const left = readdirSync(world.options.dataDir).filter((name) => name.includes('backup'))
  for (const name of left)
    if (readdirSync(join(world.options.dataDir, name)).length > 0)
      tally.stuck.push(`${name} of a killed backup is left`)
  const whole = await (await world.admin.download('POST', '/api/v1/server/backup')).arrayBuffer()
  if (whole.byteLength < 10_000) tally.lost.push(`a backup of ${whole.byteLength} bytes`)
  await facts.check(tally)
  return `${whole.byteLength} bytes in the next one`
}

/** During the first start of a data directory, migrations included, and during a start with things to recover. */
export async function killInStart({ world, facts, tally }: Moment): Promise<string> {
  const directory = await mkdtemp(join(world.directory, 'fresh-'))
  const [dataDir, workDir, hold] = ['data', 'work', 'hold'].map((name) => join(directory, name)) as [
    string,
    string,
    string,
  ]
  await mkdir(workDir)
  const fresh = { ...world.options, dataDir, workDir, hold, port: await freePort() }
  const delays = [120, 300, 450, 700].map((ms) => ms + Math.random() * 250)
  for (const delay of delays) {
    const starting = launch(fresh)
    await sleep(delay)
    starting.child.kill('SIGKILL')
    await starting.exited
    tally.kills += 1
  }
  const server = await startServer(fresh)
  const token = await server.adminToken()
  const me = await fetch(`${server.url}/api/v1/repositories`, { headers: { authorization: `Bearer ${token}` } })
  if (me.status !== 200) tally.lost.push(`the first administrator's token after a killed first start: ${me.status}`)
  await until('the runner of a killed first start comes', () => server.runnerPid() !== null)
  await server.stop()
  await rm(directory, { recursive: true, force: true })

  await world.server.kill()
  const again = launch(world.options)
  await sleep(delays[1]!)
  again.child.kill('SIGKILL')
  await again.exited
  tally.kills += 2
  await world.restart()
  await facts.check(tally)
  return `after ${delays.map((ms) => Math.round(ms)).join(', ')} ms`
}

/** A heal that has written its files and not yet ended. */
export async function killInHeal(
  { world, facts, tally, id, settleMs }: Moment,
  name: string,
  victim: 'server' | 'runner',
): Promise<string> {
  const file = join(world.target, name, 'wanted')
  const wanted = readFileSync(file, 'utf8')
  world.ledger.hold(name, 'reload')
  writeFileSync(file, `tampered ${id}\n`)
  const tampered = performance.now()
  const heals = async (): Promise<RunSummary[]> => {
    const runs: RunSummary[] = []
    for await (const run of world.ada.all(`${REPOSITORY}/runs`, RunSummary, { kind: 'heal' })) runs.push(run)
    return runs
  }
  await until(
    'a heal is under way',
    async () =>
      (await heals()).some(({ state }) => state === 'applying') && world.ledger.waiting(name, 'reload') !== null,
    settleMs,
  )
  const seconds = ((performance.now() - tampered) / 1000).toFixed(1)
  if (victim === 'server') {
    await world.server.kill()
    await world.restart()
  } else process.kill(world.server.runnerPid()!, 'SIGKILL')
  tally.kills += 1
  await world.ledger.releaseAll()
  await until(
    'the drift is healed',
    async () => {
      if (readFileSync(file, 'utf8') !== wanted) return false
      const [stack] = (await world.stacks()).filter((each) => each.name === name)
      return stack?.state === 'in_sync' && (await heals()).every(({ finishedAt }) => finishedAt !== null)
    },
    settleMs,
    async () => JSON.stringify((await world.stacks()).find((each) => each.name === name)),
  )
  await inspect(world, facts, tally, { id, stacks: [] })
  return `${victim} killed; the heal had begun after ${seconds} s`
}

/** A runner that stands still until its lease is over and then goes on must neither go on working nor be believed. */
export async function wakeZombie({ world, facts, tally, id, settleMs }: Moment): Promise<string> {
  const stack = 'middle'
  const mr = await world.propose(id, { [`stacks/${stack}/wanted`]: `${id}-${stack}\n` })
  world.ledger.hold(stack, 'begin')
  await world.approve(mr.number)
  facts.merged(mr.number, (await world.merge(mr.number)).mergeCommit ?? '')
  await until('the apply has begun', () => world.ledger.waiting(stack, 'begin') !== null)
  const tool = world.ledger.waiting(stack, 'begin')!
  const runner = world.server.runnerPid()
  if (runner === null) throw new Stuck('there is no runner')
  process.kill(runner, 'SIGSTOP')
  await until('the run is lost', async () => (await world.runs(mr.number)).some(({ state }) => state === 'lost'))
  process.kill(runner, 'SIGCONT')
  tally.kills += 1
  await until('the tool of the zombie is ended', () => !isAlive(tool), 180_000)
  await world.ledger.releaseAll()
  await settle(world, { id, mr: mr.number, ms: settleMs })
  await inspect(world, facts, tally, { id, stacks: [stack] })
  return 'its tool was ended, its report refused'
}

/** The server's git process dies in the middle of a deployment: the server goes on. */
export async function killGitProcess({ world, facts, tally, id, settleMs }: Moment): Promise<string> {
  const child = (): number | undefined =>
    processesWith({ TRUEUP_TEST_HOLD: world.options.hold }).find(
      ({ ppid, argv }) => ppid === world.server.pid && argv.includes('git/child/main'),
    )?.pid
  const stack = 'end'
  const before = child()
  if (before === undefined) throw new Stuck('the server has no git process')
  const mr = await world.propose(id, { [`stacks/${stack}/wanted`]: `${id}-${stack}\n` })
  world.ledger.hold(stack, 'before-planning')
  await world.approve(mr.number)
  facts.merged(mr.number, (await world.merge(mr.number)).mergeCommit ?? '')
  await until('the run prepares', () => world.ledger.waiting(stack, 'before-planning') !== null)
  process.kill(before, 'SIGKILL')
  tally.kills += 1
  await world.ledger.releaseAll()
  await settle(world, { id, mr: mr.number, ms: settleMs })
  await inspect(world, facts, tally, { id, stacks: [stack] })
  return `git process ${before} replaced by ${child()}`
}
