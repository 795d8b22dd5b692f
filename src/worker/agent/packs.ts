import type { GitRepository } from '../../git/repository.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import { type Outcome, retry } from '../../lib/retry.ts'
import type { HttpClient } from '../connection/http.ts'
import { WORKER_PATHS } from '../protocol.ts'
import type { HeldStacks } from './held.ts'

const TIMEOUT_MS = 10 * 60_000
const PAUSES = { first: 800, longest: 8_000 }
const ATTEMPTS = 5
/** A stack's files at one commit, compressed; the server's workspaces are bounded too. */
const MAX_PACK_BYTES = 512 * 1024 * 1024

/** The packs that an agent fetches, in its own repository. */
export interface Packs {
  /** Fetches a stack at a commit; answers with the pack's name. */
  take(stackId: string, commit: string, signal: AbortSignal): Promise<string>
  /** COMMIT_OLDER where `to` does not come after `from` by first parents. */
  assertAfter(stackId: string, range: { from: string; to: string }, signal: AbortSignal): Promise<void>
  /** Removes a pack that nothing needs. */
  drop(name: string): Promise<void>
}

export function openPacks(repository: GitRepository, http: HttpClient, held: HeldStacks): Packs {
  const inUse = new Map<string, number>()
  const fetchPack = async (path: string, signal: AbortSignal): Promise<string> => {
    const fetchOnce = async (): Promise<Buffer> => {
      const answer = await http.request({ method: 'GET', path, timeoutMs: TIMEOUT_MS, signal })
      return await bounded(answer)
    }
    const again = (outcome: Outcome<Buffer>) =>
      !outcome.ok && !signal.aborted && (!(outcome.thrown instanceof TrueupError) || outcome.thrown.retryable)
    const name = await repository.receivePack(
      await retry(fetchOnce, { pauses: PAUSES, attempts: ATTEMPTS, signal, again }),
    )
    inUse.set(name, (inUse.get(name) ?? 0) + 1)
    return name
  }
  const drop = async (name: string): Promise<void> => {
    const left = (inUse.get(name) ?? 1) - 1
    if (left > 0) return void inUse.set(name, left)
    inUse.delete(name)
    if (!held.packs().has(name)) await repository.dropPack(name)
  }
  return {
    drop,
    take: (stackId, commit, signal) => fetchPack(WORKER_PATHS.pack(stackId, commit), signal),
    async assertAfter(stackId, range, signal) {
      if (range.from === range.to) return
      const name = await fetchPack(WORKER_PATHS.lineage(stackId, range), signal)
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
