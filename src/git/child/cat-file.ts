import type { ChildProcess } from 'node:child_process'
import { TrueupError } from '../../lib/errors/error.ts'
import type { GitObject, ObjectInfo, ObjectType } from '../objects.ts'
import { cannotStart, type Processes } from './processes.ts'

/** No answer for so long means that the disk hangs: the process is ended and its readers get TIMED_OUT. */
const SILENCE_MS = 60_000
const HEADER = /^([0-9a-f]{40}|[0-9a-f]{64}) (blob|tree|commit|tag) (\d+)$/
const LINE_FEED = 0x0a

/** One question to git, answered exactly once by one of the callbacks. */
export type Question = { name: string; attempts: number } & (
  | { kind: 'contents'; maxBytes: number; answer: (object: GitObject) => void }
  | { kind: 'info'; answer: (info: ObjectInfo | null) => void }
) & { fail: (error: TrueupError) => void }

/**
 * One `git cat-file --batch-command --buffer`. Questions are answered in order, so any number may be under way; contents
 * above their limit are skipped as they arrive and never held.
 */
export interface CatFile {
  ask(questions: readonly Question[]): void
  readonly pending: number
  lastUsed: number
  close(): void
}

interface Incoming {
  header: { oid: string; type: ObjectType; size: number }
  content: Buffer | null
  received: number
}

/** `onEnd` gets the questions that the process left open when it ended, the one it died of first. */
export function startCatFile(
  processes: Processes,
  options: { gitDirectory: string; environment: NodeJS.ProcessEnv },
  onEnd: (open: Question[], error: TrueupError) => void,
): CatFile {
  const child: ChildProcess = processes.start('git', ['cat-file', '--batch-command', '--buffer'], {
    cwd: '/',
    env: { ...options.environment, GIT_DIR: options.gitDirectory },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  let queue: Question[] = []
  let head = 0
  let line: Buffer[] = []
  let incoming: Incoming | null = null
  let stderr = ''
  let failure: TrueupError | null = null
  const silence = setTimeout(() => {
    if (head === queue.length) return
    failure = new TrueupError('TIMED_OUT', { doing: 'reading objects', why: `git did not answer for ${SILENCE_MS} ms` })
    processes.end(child)
  }, SILENCE_MS)
  silence.unref()

  const next = (): Question => {
    const question = queue[head++]!
    if (head === queue.length) {
      queue = []
      head = 0
    }
    return question
  }
  const finishContents = (object: Incoming): void => {
    const question = next()
    const { header, content } = object
    if (question.kind !== 'contents') return
    if (content) question.answer({ found: true, ...header, content })
    else question.answer({ found: false, reason: 'too-large', ...header })
  }
  const onHeader = (text: string): void => {
    const question = queue[head]
    const match = HEADER.exec(text)
    if (!question) return
    if (!match) {
      next()
      if (question.kind === 'contents') question.answer({ found: false, reason: 'missing' })
      else question.answer(null)
      return
    }
    const header = { oid: match[1]!, type: match[2] as ObjectType, size: Number(match[3]) }
    if (question.kind === 'info') {
      next()
      question.answer(header)
    } else {
      incoming = {
        header,
        content: header.size <= question.maxBytes ? Buffer.allocUnsafe(header.size) : null,
        received: 0,
      }
    }
  }
  child.stdout!.on('data', (chunk: Buffer) => {
    silence.refresh()
    let at = 0
    while (at < chunk.length) {
      if (incoming) {
        // The content and the line feed behind it.
        const wanted = incoming.header.size + 1 - incoming.received
        const taken = Math.min(wanted, chunk.length - at)
        incoming.content?.set(
          chunk.subarray(at, at + Math.min(taken, incoming.header.size - incoming.received)),
          incoming.received,
        )
        incoming.received += taken
        at += taken
        if (taken === wanted) {
          const done = incoming
          incoming = null
          finishContents(done)
        }
        continue
      }
      const end = chunk.indexOf(LINE_FEED, at)
      if (end < 0) {
        line.push(chunk.subarray(at))
        break
      }
      const text =
        line.length === 0
          ? chunk.toString('utf8', at, end)
          : Buffer.concat([...line, chunk.subarray(at, end)]).toString('utf8')
      line = []
      at = end + 1
      onHeader(text)
    }
  })
  child.stderr!.on('data', (chunk: Buffer) => {
    stderr = (stderr + chunk.toString('utf8')).slice(-4096)
  })
  const ended = (error: TrueupError): void => {
    clearTimeout(silence)
    const open = queue.slice(head)
    queue = []
    head = 0
    onEnd(open, failure ?? error)
  }
  child.once('error', (error) => ended(cannotStart(error)))
  child.once('close', () =>
    ended(
      new TrueupError('GIT_FAILED', { doing: 'reading objects', why: stderr.trim() || 'git cat-file ended by itself' }),
    ),
  )
  return {
    ask(questions) {
      silence.refresh()
      let commands = ''
      for (const question of questions) {
        queue.push(question)
        commands += `${question.kind} ${question.name}\n`
      }
      child.stdin!.write(`${commands}flush\n`)
    },
    get pending() {
      return queue.length - head
    },
    lastUsed: 0,
    close() {
      child.stdin!.end()
    },
  }
}
