import { rm } from 'node:fs/promises'
import { Readable } from 'node:stream'
import type { ReadableStream } from 'node:stream/web'
import { setTimeout as sleep } from 'node:timers/promises'
import { extract } from '../../git/materialise.ts'
import type { Materialised } from '../../git/repository.ts'
import { asTrueupError, TrueupError } from '../../lib/errors/error.ts'
import type { HttpClient } from '../connection/http.ts'

const TRIES = 5
const TIMEOUT_MS = 10 * 60_000

/** Fetches a tar of files and writes them into `directory`; a transfer that breaks is begun again from nothing. */
export async function download(
  http: HttpClient,
  path: string,
  directory: string,
  signal: AbortSignal,
): Promise<Materialised> {
  for (let tries = 1; ; tries++) {
    signal.throwIfAborted()
    try {
      const answer = await http.request({ method: 'GET', path, timeoutMs: TIMEOUT_MS, signal })
      if (!answer.body)
        throw new TrueupError('UNAVAILABLE', { doing: 'fetching the files of a run', why: 'the answer is empty' })
      return await extract(Readable.fromWeb(answer.body as ReadableStream), directory)
    } catch (thrown) {
      await rm(directory, { recursive: true, force: true })
      signal.throwIfAborted()
      if (tries === TRIES || !isTransient(thrown)) throw thrown
      await sleep(200 * 2 ** tries, undefined, { signal }).catch(() => {})
    }
  }
}

/** A stream that breaks half-way throws an error of the network layer and none of Trueup's. */
const isTransient = (thrown: unknown): boolean =>
  !(thrown instanceof TrueupError) || asTrueupError(thrown, 'fetching the files of a run').retryable
