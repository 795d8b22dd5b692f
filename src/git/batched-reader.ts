import type { GitChild } from './child-process.ts'
import type { GitObject, ObjectInfo, ObjectReader } from './objects.ts'

const DEFAULT_MAX_BYTES = 16 * 1024 * 1024
/** Names per message: keeps one answer from growing without bound. */
const MAX_NAMES = 2_000

interface Waiting<Answer> {
  names: readonly string[]
  resolve: (answers: Answer[]) => void
  reject: (error: unknown) => void
}

/**
 * Reads objects from the child process. What is asked for within one turn of the event loop goes over in one message, so
 * many small concurrent reads cost one round trip.
 */
export function createBatchedReader(child: GitChild, repository: string): ObjectReader {
  const contents = new Map<number, (names: readonly string[]) => Promise<GitObject[]>>()
  const infos = batched<ObjectInfo | null>((names) => child.call('info', { repository, names }, { repeat: true }))
  return {
    read(names, maxBytes = DEFAULT_MAX_BYTES) {
      let ask = contents.get(maxBytes)
      if (!ask) {
        ask = batched((all) => child.call('read', { repository, names: all, maxBytes }, { repeat: true }))
        if (contents.size > 16) contents.clear()
        contents.set(maxBytes, ask)
      }
      return ask(names)
    },
    info: infos,
  }
}

function batched<Answer>(
  call: (names: string[]) => Promise<Answer[]>,
): (names: readonly string[]) => Promise<Answer[]> {
  let waiting: Waiting<Answer>[] = []

  const flush = async (): Promise<void> => {
    const batch = waiting
    waiting = []
    const places = new Map<string, number>()
    for (const { names } of batch) for (const name of names) if (!places.has(name)) places.set(name, places.size)
    const unique = [...places.keys()]
    try {
      const answers: Answer[] = []
      for (let at = 0; at < unique.length; at += MAX_NAMES) {
        for (const answer of await call(unique.slice(at, at + MAX_NAMES))) answers.push(answer)
      }
      for (const { names, resolve } of batch) resolve(names.map((name) => answers[places.get(name)!]!))
    } catch (error) {
      // One damaged object must not fail what others asked for in the same turn.
      if (batch.length > 1) for (const alone of batch) void retryAlone(alone)
      else batch[0]!.reject(error)
    }
  }
  const retryAlone = async ({ names, resolve, reject }: Waiting<Answer>): Promise<void> => {
    try {
      resolve(await call([...names]))
    } catch (error) {
      reject(error)
    }
  }
  return (names) => {
    if (names.length === 0) return Promise.resolve([])
    return new Promise((resolve, reject) => {
      if (waiting.length === 0) setImmediate(() => void flush())
      waiting.push({ names, resolve, reject })
    })
  }
}
