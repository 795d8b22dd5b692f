/**
 * `node test/upgrade/record.ts REVISION [NAME]`: lets the server of a revision live until runs are in every state that waits
 * or works and merge requests are open, kills it, and keeps its data directory as `NAME.tar.gz`. Done once for each
 * released schema; upgrade.test.ts opens what was kept with the code of today.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { DatabaseSync } from 'node:sqlite'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { processesWith } from '../faults/processes.ts'
import { until } from '../faults/wait.ts'
import { createWorld, type World } from '../faults/world.ts'
import { changed, HOLDS, sources } from './stacks.ts'

const ROOT = join(import.meta.dirname, '..', '..')
/** What only matters to the processes that have ended, or to this machine. */
const LEFT_OUT = ['lock.db', 'lock.json', 'server.json', 'runner/processes', 'runner/lock.db', 'runner/cache', 'work']

async function record(world: World): Promise<void> {
  const land = async (id: string, files: ReturnType<typeof sources>, before = (): void => {}): Promise<number> => {
    const { number } = await world.propose(id, files)
    before()
    await world.approve(number)
    await world.merge(number)
    return number
  }
  const first = await land('begin', sources())
  await until('the first deployment is over', async () => {
    const runs = await world.runs(first)
    return runs.length > 0 && runs.every(({ state }) => state === 'succeeded')
  })
  mkdirSync(HOLDS)
  const hold = (name: string, text = ''): void => writeFileSync(join(HOLDS, name), text)
  const second = await land('two', changed(['applying', 'planning', 'queued', 'awaiting']), () => {
    hold('applying-apply')
    hold('planning-plan')
    hold('awaiting-salt', 'salted')
  })
  const states = { applying: 'applying', planning: 'planning', queued: 'queued', awaiting: 'awaiting_approval' }
  await until('every run is in its state', async () => {
    const runs = new Map((await world.runs(second)).map((run) => [run.stack, run.state]))
    return Object.entries(states).every(([stack, state]) => runs.get(`production/${stack}`) === state)
  })
  await world.propose('open', changed(['open']))
  await world.approve((await world.propose('approved', changed(['approved']))).number)
}

function keep(world: World, file: string): void {
  const { dataDir } = world.options
  const tokens = { admin: world.admin, ada: world.ada, bob: world.bob }
  const known = Object.entries(tokens).map(([name, { connection }]) => [name, connection.token])
  writeFileSync(join(dataDir, 'tokens.json'), JSON.stringify(Object.fromEntries(known)))
  const database = new DatabaseSync(join(dataDir, 'trueup.db'))
  database.exec('pragma wal_checkpoint(truncate); vacuum; pragma wal_checkpoint(truncate)')
  database.close()
  const excluded = LEFT_OUT.map((name) => `--exclude=./${name}`)
  execFileSync('tar', ['--create', '--gzip', `--file=${file}`, `--directory=${dataDir}`, ...excluded, '.'])
}

const [revision, name = 'last'] = process.argv.slice(2)
if (revision === undefined) throw new Error('node test/upgrade/record.ts REVISION [NAME]')
const tree = join(await mkdtemp(join(tmpdir(), 'trueup-upgrade-')), 'tree')
execFileSync('git', ['-C', ROOT, 'worktree', 'add', '--quiet', '--detach', tree, revision])
try {
  symlinkSync(join(ROOT, 'node_modules'), join(tree, 'node_modules'))
  rmSync(HOLDS, { recursive: true, force: true })
  const world = await createWorld({ lease: '15s', keep: false, terraform: null, main: join(tree, 'src/cli/main.ts') })
  try {
    await record(world)
    await world.server.kill()
    for (const { pid } of processesWith({ TRUEUP_TEST_HOLD: world.options.hold })) process.kill(pid, 'SIGKILL')
    keep(world, join(import.meta.dirname, `${name}.tar.gz`))
  } finally {
    rmSync(HOLDS, { recursive: true, force: true })
    await world.close()
  }
} finally {
  execFileSync('git', ['-C', ROOT, 'worktree', 'remove', '--force', tree])
  await rm(join(tree, '..'), { recursive: true, force: true })
}
