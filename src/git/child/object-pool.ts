import { TrueupError } from '../../lib/errors/error.ts'
import type { GitObject, ObjectInfo, ObjectReader } from '../objects.ts'
import { startCatFile, type CatFile, type Question } from './cat-file.ts'
import type { Processes } from './processes.ts'

/** A second process per repository keeps small reads from waiting behind a large one. */
const PER_REPOSITORY = 2
const IN_ALL = 16
const IDLE_MS = 30_000
/** A question that git died of is asked once more, then given up. */
const MAX_ATTEMPTS = 2
const DEFAULT_MAX_BYTES = 16 * 1024 * 1024

/** All `cat-file` processes of the child, a bounded number, closed when nobody uses them. */
export interface ObjectPool {
  /** Answers arrive one by one, in order, as soon as git gives them. */
  each(
    repository: string,
    names: readonly string[],
    maxBytes: number,
    take: (object: GitObject, index: number) => void,
  ): Promise<void>
  reader(repository: string): ObjectReader
  release(repository: string): void
  close(): void
}

export function createObjectPool(
  processes: Processes,
  options: { directoryOf: (repository: string) => string; environment: NodeJS.ProcessEnv },
): ObjectPool {
  const pools = new Map<string, Set<CatFile>>()
  const waiting: { repository: string; questions: readonly Question[] }[] = []
  const total = (): number => [...pools.values()].reduce((sum, pool) => sum + pool.size, 0)

  const start = (repository: string): CatFile => {
    const pool = pools.get(repository) ?? new Set<CatFile>()
    pools.set(repository, pool)
    const process = startCatFile(
      processes,
      { gitDirectory: options.directoryOf(repository), environment: options.environment },
      (open, error) => {
        pool.delete(process)
        if (pool.size === 0 && pools.get(repository) === pool) pools.delete(repository)
        retry(repository, open, error)
        drain()
      },
    )
    pool.add(process)
    return process
  }
  /** The first open question is what git died of; the others only stood behind it. */
  const retry = (repository: string, open: Question[], error: TrueupError): void => {
    const [suspect, ...others] = open
    if (!suspect) return
    suspect.attempts++
    const again = error.code === 'GIT_FAILED' && suspect.attempts < MAX_ATTEMPTS
    if (!again) suspect.fail(error)
    if (error.code !== 'GIT_FAILED') for (const question of others) question.fail(error)
    else submit(repository, again ? open : others)
  }
  const idle = (): { repository: string; process: CatFile } | undefined =>
    [...pools]
      .flatMap(([repository, pool]) => [...pool].map((process) => ({ repository, process })))
      .filter(({ process }) => process.pending === 0)
      .sort((a, b) => a.process.lastUsed - b.process.lastUsed)[0]
  const choose = (repository: string): CatFile | null => {
    const pool = [...(pools.get(repository) ?? [])].sort((a, b) => a.pending - b.pending)
    const best = pool[0]
    if (best && (best.pending === 0 || pool.length >= PER_REPOSITORY)) return best
    if (total() >= IN_ALL) {
      if (best) return best
      const victim = idle()
      if (!victim) return null
      pools.get(victim.repository)?.delete(victim.process)
      victim.process.close()
    }
    return start(repository)
  }
  const submit = (repository: string, questions: readonly Question[]): void => {
    if (questions.length === 0) return
    const process = choose(repository)
    if (!process) {
      waiting.push({ repository, questions })
      return
    }
    process.lastUsed = Date.now()
    process.ask(questions)
  }
  const drain = (): void => {
    for (let left = waiting.length; left > 0; left--) {
      const { repository, questions } = waiting.shift()!
      submit(repository, questions)
    }
  }
  const sweep = setInterval(() => {
    const before = Date.now() - IDLE_MS
    for (const pool of pools.values()) {
      for (const process of pool) {
        if (process.pending > 0 || process.lastUsed >= before) continue
        pool.delete(process)
        process.close()
      }
    }
  }, IDLE_MS / 2)
  sweep.unref()

  const ask = async (
    repository: string,
    make: (done: () => void, fail: (error: TrueupError) => void) => Question[],
  ): Promise<void> => {
    try {
      await new Promise<void>((resolve, reject) => {
        let left = 0
        const questions = make(() => {
          if (--left === 0) resolve()
        }, reject)
        left = questions.length
        if (left === 0) resolve()
        else submit(repository, questions)
      })
    } finally {
      if (waiting.length > 0) drain()
    }
  }
  const pool: ObjectPool = {
    each(repository, names, maxBytes, take) {
      let givenUp = false
      return ask(repository, (done, fail) =>
        names.map((name, index) => ({
          name: checkName(name),
          kind: 'contents',
          maxBytes,
          attempts: 0,
          answer(object) {
            if (givenUp) return
            try {
              take(object, index)
              done()
            } catch (error) {
              // A limit or a full disk: the rest of git's answers arrive and are dropped.
              givenUp = true
              fail(error as TrueupError)
            }
          },
          fail,
        })),
      )
    },
    reader: (repository) => ({
      async read(names, maxBytes = DEFAULT_MAX_BYTES) {
        const objects: GitObject[] = []
        await pool.each(repository, names, maxBytes, (object, index) => (objects[index] = object))
        return objects
      },
      async info(names) {
        const infos: (ObjectInfo | null)[] = []
        await ask(repository, (done, fail) =>
          names.map((name, index) => ({
            name: checkName(name),
            kind: 'info',
            attempts: 0,
            answer(info) {
              infos[index] = info
              done()
            },
            fail,
          })),
        )
        return infos
      },
    }),
    release(repository) {
      for (const process of pools.get(repository) ?? []) process.close()
      pools.delete(repository)
    },
    close() {
      clearInterval(sweep)
      for (const repository of pools.keys()) pool.release(repository)
    },
  }
  return pool
}

/** A line feed would make two commands of one. */
function checkName(name: string): string {
  if (name !== '' && !name.includes('\n') && !name.includes('\0')) return name
  throw new TrueupError('INVALID_REQUEST', {
    doing: 'reading an object',
    why: `${JSON.stringify(name)} cannot name one`,
  })
}
