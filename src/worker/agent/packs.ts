import type { GitRepository } from '../../git/repository.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import { type Outcome, retry } from '../../lib/retry.ts'
import type { HttpClient } from '../connection/http.ts'
import { WORKER_PATHS } from '../protocol.ts'
import type { Held, HeldStacks } from './held.ts'
import type { PackCache } from './pack-cache.ts'

const TIMEOUT_MS = 10 * 60_000
const PAUSES = { first: 800, longest: 8_000 }
const ATTEMPTS = 5
/** Packs of one stack, each a difference to those before it; then a whole one takes their place. */
const MOST_PACKS = 10
/** A stack's files at one commit, compressed; the server's workspaces are bounded too. */
const MAX_PACK_BYTES = 512 * 1024 * 1024

/** The packs that an agent fetches, in its own repository. */
export interface Packs {
  /**
   * Fetches a stack at a commit; answers with the names of the packs that have it, with spaces between them. Where the stack is held
   * already (`base`), only what has changed since is fetched, and the packs of that are needed on.
   */
  take(stackId: string, commit: string, signal: AbortSignal, base?: Held): Promise<string>
  /** COMMIT_OLDER where `to` does not come after `from` by first parents. */
  assertAfter(stackId: string, range: { from: string; to: string }, signal: AbortSignal): Promise<void>
  /** Whoever reads packs that are held already says so; answers with the same names. */
  keep(names: string): string
  /** Whoever took or kept these needs them no longer; those that nothing else needs are removed. */
  drop(names: string): Promise<void>
  /** Removes of what was held those that nothing needs any more. */
  forget(names: Iterable<string>): Promise<void>
}

/** Where a pack is; `address`: who asks there hears where a cache has it. */
interface PackPath {
  path: string
  address?: string
}

const pathsOf = (...pack: Parameters<typeof WORKER_PATHS.pack>): PackPath => ({
  path: WORKER_PATHS.pack(...pack),
  address: WORKER_PATHS.packAddress(...pack),
})

/** Whom packs are asked for: the server, and before it a cache where there is one. */
interface PackSources {
  http: HttpClient
  cache?: PackCache | undefined
}

export function openPacks(repository: GitRepository, { http, cache }: PackSources, held: HeldStacks): Packs {
  /** How many runs read a pack. What is held is needed beside that. */
  const inUse = new Map<string, number>()
  const fetchPack = async ({ path, address }: PackPath, signal: AbortSignal): Promise<string> => {
    const cached = address === undefined ? null : await cache?.get(address, signal)
    if (cached) return await takeIn(await bounded(cached), cache!.url)
    const fetchOnce = async (): Promise<Buffer> => {
      const answer = await http.request({ method: 'GET', path, timeoutMs: TIMEOUT_MS, signal })
      return await bounded(answer)
    }
    const again = (outcome: Outcome<Buffer>) =>
      !outcome.ok && !signal.aborted && (!(outcome.thrown instanceof TrueupError) || outcome.thrown.retryable)
    return await takeIn(await retry(fetchOnce, { pauses: PAUSES, attempts: ATTEMPTS, signal, again }))
  }
  const takeIn = async (pack: Buffer, from?: string): Promise<string> => {
    try {
      const name = await repository.receivePack(pack)
      use(name)
      return name
    } catch (thrown) {
      // Not asked for elsewhere: that somebody gives out what is not right has to be seen.
      if (from === undefined || !(thrown instanceof TrueupError) || thrown.code !== 'PACK_INVALID') throw thrown
      const { why } = thrown.text
      throw new TrueupError('PACK_INVALID', { doing: `taking in a pack from the cache ${from}`, why, cause: thrown })
    }
  }
  const use = (name: string): void => void inUse.set(name, (inUse.get(name) ?? 0) + 1)
  const forget = async (names: Iterable<string>): Promise<void> => {
    const needed = held.packs()
    for (const name of names) if (!inUse.has(name) && !needed.has(name)) await repository.dropPack(name)
  }
  const keep = (names: string): string => {
    for (const name of names.split(' ')) use(name)
    return names
  }
  const drop = async (names: string): Promise<void> => {
    for (const name of names.split(' ')) {
      const left = (inUse.get(name) ?? 1) - 1
      if (left > 0) inUse.set(name, left)
      else inUse.delete(name)
    }
    await forget(names.split(' '))
  }
  const takeDifference = async (stackId: string, commit: string, base: Held, signal: AbortSignal): Promise<string> => {
    // Nobody removes them while the difference to them is on its way.
    keep(base.pack)
    try {
      return `${await fetchPack(pathsOf(stackId, commit, base.commit), signal)} ${base.pack}`
    } catch (thrown) {
      await drop(base.pack)
      throw thrown
    }
  }
  return {
    keep,
    drop,
    forget,
    async take(stackId, commit, signal, base) {
      if (base && base.pack.split(' ').length < MOST_PACKS) {
        try {
          return await takeDifference(stackId, commit, base, signal)
        } catch (thrown) {
          // A difference to something that is not here: then all of it.
          if (!(thrown instanceof TrueupError) || thrown.code !== 'PACK_INVALID') throw thrown
        }
      }
      return await fetchPack(pathsOf(stackId, commit), signal)
    },
    async assertAfter(stackId, range, signal) {
      if (range.from === range.to) return
      const name = await fetchPack({ path: WORKER_PATHS.lineage(stackId, range) }, signal)
      try {
        await walkBack(repository, range)
      } finally {
        await drop(name)
      }
    },
  }
}

/** The chain is the agent's own proof: each commit names its parents, and its name is what it holds. */
export async function walkBack(repository: GitRepository, { from, to }: { from: string; to: string }): Promise<void> {
  const doing = `checking that commit ${to} comes after ${from}`
  for (let at = to; at !== from; ) {
    const parent = await repository.commit(at).then(
      ({ parents }) => parents[0],
      () => undefined,
    )
    if (parent === undefined)
      throw new TrueupError('COMMIT_OLDER', { doing, why: 'its history does not lead back there' })
    at = parent
  }
}

async function bounded(answer: Response): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of answer.body ?? []) {
    size += chunk.length
    if (size > MAX_PACK_BYTES)
      throw new TrueupError('TOO_LARGE', { doing: 'fetching a pack', why: `it has more than ${MAX_PACK_BYTES} bytes` })
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
