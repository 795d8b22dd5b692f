import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createAcknowledged } from '../acknowledged.ts'
import { processesWith } from '../processes.ts'
import { newTally, type Tally } from '../tally.ts'
import { until } from '../wait.ts'
import { createWorld } from '../world.ts'
import { ACTS, deployed, type Prepared, type Scene, siteOf } from './acts.ts'
import { openDisk } from './disk.ts'

export interface PowerOptions {
  rounds: number
  /** Names of acts; all where null. */
  only: readonly string[] | null
  say: (line: string) => void
}

const DISK_MEBIBYTES = 768
/** Done at the same time as another act, in every second round: alone nothing else syncs what it forgot. */
const BESIDE = ['token', 'repository', 'push']
/** What an act takes before it was seen for the first time. Milliseconds. */
const FIRST_GUESS = 400
/** After an acknowledgement is where losses lie: what was only remembered then never comes to the disk. */
const SOON_MS = 40

interface Doing {
  name: string
  prepared: Prepared
  acknowledged: boolean
  settled: Promise<void>
}

/** A server whose power is cut at random moments, again and again, on one disk. */
export async function runPowerRounds({ rounds, only, say }: PowerOptions): Promise<Tally> {
  const tally = newTally()
  const began = performance.now()
  const tell = (line: string): void => say(`${((performance.now() - began) / 1000).toFixed(0).padStart(4)} s  ${line}`)
  const disk = await openDisk(DISK_MEBIBYTES)
  try {
    const world = await createWorld({ lease: '15s', keep: false, terraform: null, disk: disk.path })
    const scene: Scene = { world, disk, facts: createAcknowledged(world) }
    try {
      await begin(scene)
      const names = Object.keys(ACTS).filter((name) => !only || only.includes(name))
      const lasted = new Map<string, number>()
      for (let round = 1; round <= rounds; round++) {
        const name = names[(round - 1) % names.length]!
        tell(`round ${round}: ${await cutUnder(scene, { name, round, lasted }, tally)}`)
      }
      await stopOnFrozenDisk(scene, tally)
    } catch (thrown) {
      // What comes after would only tell of the same thing.
      tally.stuck.push(`${String((thrown as Error).stack)}\n${lastWords(world.options.logFile)}`)
      tell((thrown as Error).message)
    } finally {
      endServer(scene)
      await world.close()
    }
  } finally {
    await disk.close()
  }
  return tally
}

/** The first deployment, so that there is something to lose. */
async function begin(scene: Scene): Promise<void> {
  const { world, facts } = scene
  await world.copy.git('fetch', '--quiet', 'origin')
  const { number } = await world.propose('begin', siteOf(scene, 'begin'))
  await world.approve(number)
  facts.merged(number, (await world.merge(number)).mergeCommit ?? '')
  // What is planned before it is deployed is planned anew, and the approvals of it fall away.
  await deployed(scene, number, 'begin')
}

/** A server whose disk takes no writes any more says so, and ends in order when it is told to. */
async function stopOnFrozenDisk({ world, disk }: Scene, tally: Tally): Promise<void> {
  disk.freeze()
  await until('the server says that it takes no writes', async () => {
    const answer = await fetch(`${world.server.url}/readyz`)
    return answer.status === 503
  })
  world.server.signal('SIGTERM')
  const { code, signal } = await world.server.exited
  if (code !== 0) tally.stuck.push(`a server on a frozen disk ended with ${code ?? signal}`)
}

const lastWords = (logFile: string): string =>
  existsSync(logFile) ? readFileSync(logFile, 'utf8').trim().split('\n').slice(-8).join('\n') : ''

interface Round {
  name: string
  round: number
  /** Milliseconds that each act took, so that a moment lies within it. */
  lasted: Map<string, number>
}

async function cutUnder(scene: Scene, { name, round, lasted }: Round, tally: Tally): Promise<string> {
  const { world, disk, facts } = scene
  const cycle = Math.ceil(round / Object.keys(ACTS).length)
  const beside = cycle % 2 === 0 ? BESIDE.filter((each) => each !== name) : []
  const prepared: [string, Prepared][] = []
  for (const each of [name, ...beside]) prepared.push([each, await ACTS[each]!(scene, `p${round}-${each}`)])
  await facts.keepAuditHead()

  const started = performance.now()
  const all = prepared.map(([each, one]) =>
    start(each, one, scene, () => lasted.set(each, performance.now() - started)),
  )
  const [doing] = all as [Doing]
  const after = Math.random() < 0.5
  const most = (lasted.get(name) ?? FIRST_GUESS) * 1.1
  await Promise.race([sleep(after ? 60_000 : Math.random() * most), doing.settled])
  if (after) await sleep(Math.random() * SOON_MS)
  const at = performance.now() - started
  await disk.cut()
  tally.kills += 1
  endServer(scene)
  await world.server.kill()
  const complaint = await disk.bringBack()
  if (complaint) tally.stuck.push(`the file system after round ${round}: ${complaint}`)
  await world.restart()
  await Promise.all(all.map(({ settled }) => settled))
  for (const each of all) {
    const lost = await each.prepared.check(each.acknowledged)
    if (lost) tally.lost.push(lost)
  }
  await facts.check(tally)
  checkGit(scene, tally, beside.length > 0 || name === 'repository' ? 4 : 2)
  const words = all.map((each) => `${each.name}${each.acknowledged ? ' (acknowledged)' : ''}`).join(', ')
  return `${disk.how} after ${at.toFixed(0)} ms of ${words}`
}

function start(name: string, prepared: Prepared, { disk }: Scene, noteTime: () => void): Doing {
  const doing: Doing = { name, prepared, acknowledged: false, settled: Promise.resolve() }
  // An answer that comes while the power is off is none; a client that asks again afterwards gets a real one.
  doing.settled = prepared.go().then(
    () => {
      if (disk.off) return
      doing.acknowledged = true
      noteTime()
    },
    () => {},
  )
  return doing
}

/** Everything that was started as a server here, and its children; clients have a power supply of their own. */
function endServer({ world }: Scene): void {
  for (const { pid } of processesWith({ TRUEUP_TEST_HOLD: world.options.hold })) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch (error) {
      // Some end by themselves between the look and the blow.
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
    }
  }
}

/** Repositories, the newest so many of them and the one in use, down to the last object. */
function checkGit({ world }: Scene, tally: Tally, newest: number): void {
  const root = join(world.options.dataDir, 'repositories')
  const all = readdirSync(root).filter((name) => name.endsWith('.git'))
  // Names begin with the time that they were made at.
  const looked = new Set([...all.toSorted().slice(-newest), ...all.toSorted().slice(0, 1)])
  for (const name of looked) {
    if (!existsSync(join(root, name, 'HEAD'))) tally.lost.push(`HEAD of ${name}`)
    try {
      execFileSync('git', ['--git-dir', join(root, name), 'fsck', '--full', '--no-dangling'], { stdio: 'pipe' })
    } catch (thrown) {
      tally.lost.push(`git fsck of ${name}: ${String((thrown as { stderr?: Buffer }).stderr).slice(0, 300)}`)
    }
  }
}
