import { execFileSync } from 'node:child_process'
import { readdirSync, rmdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { asTrueupError, TrueupError } from '../../lib/errors/error.ts'
import { gitEnvironment } from '../environment.ts'
import { installHooks } from '../hooks.ts'
import { checkRepositoryId } from '../names.ts'
import type { ChildSettings, FromChild, Operation, Operations, ToChild } from '../protocol.ts'
import { createTreeReader, type TreeReader } from '../trees.ts'
import { createTreeComparer } from './diff-tree.ts'
import { createDurability } from './durability.ts'
import { serveHttp } from './http-server.ts'
import { materialiseWorkspace } from './materialise.ts'
import { createObjectPool } from './object-pool.ts'
import { readPatches } from './patches.ts'
import { createProcesses } from './processes.ts'
import { runGit } from './run.ts'
import { sweepRepository } from './sweep.ts'
import { updateRef } from './update-ref.ts'

/** The git child process: small, so that starting git is cheap, and the only one that does. */

type Handlers = {
  [Name in Operation]: (input: Operations[Name]['input'], signal: AbortSignal) => Promise<Operations[Name]['output']>
}

/** At the service's start git processes of an earlier one may still be ending; a lock that old has no owner. */
const ABANDONED_MS = 10_000

const settings = JSON.parse(process.argv[2] ?? '') as ChildSettings
const send = (message: FromChild): void => {
  // A parent that was killed is no longer there to read; "disconnect" comes a moment later and ends this process.
  if (process.connected) process.send!(message, () => {})
}
const directoryOf = (repository: string): string => join(settings.root, `${checkRepositoryId(repository)}.git`)
const environment = gitEnvironment(settings.hooksPath)
const processes = createProcesses(send)
const pool = createObjectPool(processes, { directoryOf, environment })
const comparer = createTreeComparer(processes, { directoryOf, environment })
const context = { processes, environment, directoryOf, root: settings.root }
const durability = createDurability()
const treeReaders = new Map<string, TreeReader>()
const underWay = new Map<number, AbortController>()

/** The parent keeps its own cache of trees; this one only serves workspaces, and several repositories share the memory. */
const CACHED_ENTRIES = 20_000
const MAX_TREE_READERS = 8

function treesOf(repository: string): TreeReader {
  const known = treeReaders.get(repository)
  if (known) treeReaders.delete(repository)
  const trees = known ?? createTreeReader(pool.reader(repository), CACHED_ENTRIES)
  treeReaders.set(repository, trees)
  if (treeReaders.size > MAX_TREE_READERS) treeReaders.delete(treeReaders.keys().next().value!)
  return trees
}

function stop(): never {
  processes.killAll()
  try {
    rmSync(settings.socketPath, { force: true })
    // Empty once no other generation's socket is in it; after a clean close the parent has removed it.
    rmdirSync(dirname(settings.socketPath))
  } catch {
    // it is still in use, or gone
  }
  process.exit(0)
}

/** The parent lives, and its next process listens in the same directory. */
function rest(): never {
  processes.killAll()
  rmSync(settings.socketPath, { force: true })
  process.exit(0)
}

async function start(): Promise<void> {
  await installHooks(settings.hooksPath)
  const execPath = execPathOfGit()
  const http = await serveHttp({ ...context, execPath, durability }, settings.socketPath)
  const handlers: Handlers = {
    read: ({ repository, names, maxBytes }) => pool.reader(repository).read(names, maxBytes),
    info: ({ repository, names }) => pool.reader(repository).info(names),
    run: ({ argv, options }, signal) => runGit(context, argv, { ...options, signal }),
    patches: (input) => readPatches(context, input),
    compareTrees: ({ repository, oldTree, newTree, maxBytes }) =>
      comparer.compare(repository, oldTree, newTree, maxBytes),
    updateRef: (input) => updateRef(context, durability, input),
    materialise: (input) => materialiseWorkspace(pool, treesOf(input.repository), input),
    admit: (input) => Promise.resolve(http.admit(input)),
    release({ repository }) {
      pool.release(repository)
      comparer.release(repository)
      treeReaders.delete(repository)
      return Promise.resolve(null)
    },
    sweep: async ({ repository, minAgeMs }) => ({ removed: await sweepRepository(directoryOf(repository), minAgeMs) }),
  }
  process.on('message', (message: ToChild) => {
    if ('rest' in message) rest()
    else if ('cancel' in message) underWay.get(message.cancel)?.abort()
    else void answer(handlers, message)
  })
  send({ ready: true })
  await sweepAll()
  setTimeout(() => void sweepAll(), ABANDONED_MS).unref()
}

async function answer(handlers: Handlers, message: Extract<ToChild, { id: number }>): Promise<void> {
  const { id, operation } = message
  const abort = new AbortController()
  underWay.set(id, abort)
  try {
    const handle = handlers[operation] as (input: unknown, signal: AbortSignal) => Promise<unknown>
    send({ id, output: await handle(message.input, abort.signal) })
  } catch (error) {
    send({ id, error: asTrueupError(error, `git ${operation}`).toJSON() })
  } finally {
    underWay.delete(id)
  }
}

async function sweepAll(): Promise<void> {
  for (const name of readdirSync(settings.root)) {
    if (!name.endsWith('.git')) continue
    try {
      const removed = await sweepRepository(join(settings.root, name), ABANDONED_MS)
      if (removed.length === 0) continue
      const fields = { repository: name.slice(0, -'.git'.length), removed }
      send({ log: { level: 'warn', fields, message: 'removed what a killed git process left behind' } })
    } catch (error) {
      const fields = { repository: name, error: String(error) }
      send({ log: { level: 'error', fields, message: 'cannot look for left-over lock files' } })
    }
  }
}

function execPathOfGit(): string {
  const doing = 'starting the git service'
  const next = 'Install git 2.39 or newer.'
  const say = (option: string): string => execFileSync('git', [option], { env: environment, encoding: 'utf8' }).trim()
  let [version, execPath] = ['', '']
  try {
    ;[version, execPath] = [say('--version'), say('--exec-path')]
  } catch (cause) {
    throw new TrueupError('TOOL_MISSING', { doing, why: 'there is no working `git` on the PATH', next, cause })
  }
  // An older one would start, and fail at the first merge.
  const [, major, minor] = /(\d+)\.(\d+)/.exec(version) ?? []
  if (Number(major) * 1000 + Number(minor) >= 2039) return execPath
  throw new TrueupError('TOOL_VERSION', { doing, why: `the git on the PATH is "${version}"`, next })
}

process.on('disconnect', stop)
// Ctrl+C in a terminal reaches the whole group; the parent decides when this process ends.
process.on('SIGINT', () => {})
process.on('SIGTERM', stop)

start().catch((error: unknown) => {
  // The exit waits for the message to be on its way.
  process.send?.({ failed: asTrueupError(error, 'starting the git service').toJSON() } satisfies FromChild, () =>
    process.exit(1),
  )
})
