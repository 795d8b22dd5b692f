import { randomBytes } from 'node:crypto'
import type { ChildProcess } from 'node:child_process'
import { TrueupError } from '../../lib/errors/error.ts'
import { cannotStart, type Processes } from './processes.ts'

/** No answer for so long means that the disk hangs. */
const SILENCE_MS = 60_000
const IDLE_MS = 30_000
/** Processes kept for all repositories together; the least recently used one makes room. */
const KEPT = 8
/** git keeps the top tree of every comparison in memory, so a process is replaced after so many. */
const MAX_COMPARISONS = 5_000
const LINE_FEED = 0x0a

/**
 * Compares trees by long-living `git diff-tree --stdin` processes, one per repository: git walks down on its own, so a
 * comparison is one question however deep the change is, and starts no process (0.1 ms instead of 2.4 ms in a repository of
 * 10,000 directories, 23 Nov 2026).
 */
export interface TreeComparer {
  /** Raw records (`-r -t --raw -z`), null when they are more than `maxBytes`. GIT_OBJECT_MISSING for an unknown tree. */
  compare(repository: string, oldTree: string, newTree: string, maxBytes: number): Promise<Buffer | null>
  release(repository: string): void
}

interface Question {
  oldTree: string
  newTree: string
  maxBytes: number
  resolve(records: Buffer | null): void
  reject(error: TrueupError): void
}

interface Comparing {
  child: ChildProcess
  waiting: Question[]
  asked: number
  lastUsed: number
  close(): void
}

export function createTreeComparer(
  processes: Processes,
  options: { directoryOf: (repository: string) => string; environment: NodeJS.ProcessEnv },
): TreeComparer {
  const running = new Map<string, Comparing>()
  const forget = (repository: string): void => {
    running.get(repository)?.close()
    running.delete(repository)
  }
  setInterval(() => {
    const before = Date.now() - IDLE_MS
    for (const [repository, { waiting, lastUsed }] of running)
      if (waiting.length === 0 && lastUsed < before) forget(repository)
  }, IDLE_MS / 2).unref()

  const processFor = (repository: string): Comparing => {
    const known = running.get(repository)
    running.delete(repository)
    const comparing = known ?? startComparing(processes, options.directoryOf(repository), options.environment, gone)
    running.set(repository, comparing)
    if (running.size > KEPT) forget(running.keys().next().value!)
    return comparing

    function gone(ended: Comparing): void {
      if (running.get(repository) === ended) running.delete(repository)
    }
  }
  return {
    compare: (repository, oldTree, newTree, maxBytes) =>
      new Promise((resolve, reject) => {
        const comparing = processFor(repository)
        ask(comparing, { oldTree, newTree, maxBytes, resolve, reject })
        if (comparing.asked >= MAX_COMPARISONS) forget(repository)
      }),
    release: forget,
  }
}

function ask(comparing: Comparing, question: Question): void {
  comparing.waiting.push(question)
  comparing.asked++
  comparing.lastUsed = Date.now()
  if (comparing.waiting.length === 1) put(comparing)
}

/** A line that is no object id comes back as it is, and is flushed: it marks the end of an answer. */
const MARKER = `end-${randomBytes(16).toString('hex')}\n`

function put({ child, waiting }: Comparing): void {
  const [question] = waiting
  if (question) child.stdin!.write(`${question.oldTree} ${question.newTree}\n${MARKER}`)
}

function startComparing(
  processes: Processes,
  gitDirectory: string,
  environment: NodeJS.ProcessEnv,
  onGone: (comparing: Comparing) => void,
): Comparing {
  const child = processes.start(
    'git',
    ['diff-tree', '--stdin', '-r', '-t', '--raw', '-z', '--no-abbrev', '--no-renames'],
    {
      cwd: '/',
      env: { ...environment, GIT_DIR: gitDirectory },
      stdio: ['pipe', 'pipe', 'pipe'],
    },
  )
  const comparing: Comparing = {
    child,
    waiting: [],
    asked: 0,
    lastUsed: Date.now(),
    close: () => child.stdin!.end(),
  }
  const marker = Buffer.from(MARKER)
  let answer: Buffer[] = []
  let bytes = 0
  let stderr = ''
  const silence = setTimeout(() => {
    if (comparing.waiting.length > 0) processes.end(child)
  }, SILENCE_MS)
  silence.unref()

  const finish = (question: Question): void => {
    const whole = Buffer.concat(answer)
    const records = whole.subarray(0, whole.length - marker.length)
    // git repeats the question in a line of its own, and says nothing at all when it does not have both trees.
    const start = records.indexOf(LINE_FEED) + 1
    if (bytes > question.maxBytes) question.resolve(null)
    else if (start > 0) question.resolve(records.subarray(start))
    else question.reject(missing(question))
  }
  child.stdout!.on('data', (chunk: Buffer) => {
    silence.refresh()
    const [question] = comparing.waiting
    if (!question) return
    bytes += chunk.length
    answer.push(chunk)
    // Of an answer that is too long only the end is kept, to see where it ends.
    if (bytes > question.maxBytes) answer = [Buffer.concat(answer).subarray(-marker.length)]
    if (!endsWith(answer, marker)) return
    finish(question)
    answer = []
    bytes = 0
    comparing.waiting.shift()
    put(comparing)
  })
  child.stderr!.on('data', (chunk: Buffer) => (stderr = (stderr + chunk.toString('utf8')).slice(-4096)))
  const ended = (error: TrueupError): void => {
    clearTimeout(silence)
    onGone(comparing)
    for (const question of comparing.waiting.splice(0)) question.reject(error)
  }
  child.once('error', (error) => ended(cannotStart(error)))
  child.once('close', () =>
    ended(new TrueupError('GIT_FAILED', { doing: 'comparing trees', why: stderr.trim() || 'git ended by itself' })),
  )
  return comparing
}

function endsWith(chunks: readonly Buffer[], end: Buffer): boolean {
  const last = chunks.at(-1)!
  if (last.length >= end.length) return last.subarray(-end.length).equals(end)
  return Buffer.concat(chunks).subarray(-end.length).equals(end)
}

function missing({ oldTree, newTree }: Question): TrueupError {
  return new TrueupError('GIT_OBJECT_MISSING', {
    doing: `comparing the trees ${oldTree} and ${newTree}`,
    why: 'the repository does not have both',
  })
}
