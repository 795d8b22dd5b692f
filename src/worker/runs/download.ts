import { rm } from 'node:fs/promises'
import { Readable } from 'node:stream'
import type { ReadableStream } from 'node:stream/web'
import { extract } from '../../git/materialise.ts'
import type { Materialised } from '../../git/repository.ts'
import { asTrueupError, TrueupError } from '../../lib/errors/error.ts'
import { type Outcome, retry } from '../../lib/retry.ts'
import type { HttpClient } from '../connection/http.ts'

const ATTEMPTS = 5
const PAUSES = { first: 800, longest: 8_000 }
const TIMEOUT_MS = 10 * 60_000

/** Fetches a tar of files and writes them into `directory`; a transfer that breaks is begun again from nothing. */
export async function download(
  http: HttpClient,
  path: string,
  directory: string,
  signal: AbortSignal,
): Promise<Materialised> {
  const attempt = async (): Promise<Materialised> => {
    try {
      const answer = await http.request({ method: 'GET', path, timeoutMs: TIMEOUT_MS, signal })
      if (!answer.body)
        throw new TrueupError('UNAVAILABLE', { doing: 'fetching the files of a run', why: 'the answer is empty' })
      return await extract(Readable.fromWeb(answer.body as ReadableStream), directory)
    } catch (thrown) {
      await rm(directory, { recursive: true, force: true })
      signal.throwIfAborted()
      throw thrown
    }
  }
  const again = (outcome: Outcome<Materialised>) => !outcome.ok && isTransient(outcome.thrown)
  return await retry(attempt, { pauses: PAUSES, attempts: ATTEMPTS, signal, again })
}

/** A stream that breaks half-way throws an error of the network layer and none of Trueup's. */
const isTransient = (thrown: unknown): boolean =>
  !(thrown instanceof TrueupError) || asTrueupError(thrown, 'fetching the files of a run').retryable
