import { mkdirSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { asTrueupError } from '../lib/errors/error.ts'
import type { Link } from './connection/connect.ts'
import { removeDurably, UNFINISHED, writeDurably } from '../lib/durable-file.ts'
import type { Logger } from './logging.ts'
import { METHODS, type Params } from './protocol.ts'

const Entry = z.object({
  runId: z.string(),
  fence: z.number(),
  applied: METHODS.applied.params.optional(),
  finish: METHODS.finish.params,
})
type Entry = z.infer<typeof Entry>

/**
 * What changed the world must be reported, whatever happens to connection or runner: results are on the disk before they
 * are sent, and stay until the server has them or says that the run is no longer this worker's. Files are 0600: outputs
 * may be secret. Runs that changed nothing leave no file: when their end is lost, they are simply planned again.
 */
export interface Outbox {
  /**
   * Reports an apply. `ifKilled` is what will be reported as the end of the run when this runner dies before it says so
   * itself.
   */
  applied(applied: Params<'applied'>, ifKilled: Params<'finish'>): Promise<void>
  finish(finish: Params<'finish'>): Promise<void>
  /** Runs of which a killed runner left results; they count as held until `deliverLeft` has reported them. */
  left(): { runId: string; fence: number }[]
  deliverLeft(): Promise<void>
  /** Results on the disk that the server does not have yet. */
  waiting(): number
}

export async function openOutbox(directory: string, link: () => Pick<Link, 'deliver'>, log: Logger): Promise<Outbox> {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const kept = new Map<string, Entry>()
  const left = await readEntries(directory, log)

  const fileOf = ({ runId, fence }: { runId: string; fence: number }) =>
    join(directory, `${runId.replaceAll(/[^\w.-]/g, '_')}-${fence}.json`)

  /** A full disk must not keep back what has happened: then only a kill before the answer would lose it. */
  async function keep(entry: Entry): Promise<void> {
    try {
      await writeDurably(fileOf(entry), JSON.stringify(entry), 0o600)
      kept.set(fileOf(entry), entry)
    } catch (error) {
      log.error({ runId: entry.runId, err: error }, 'a result cannot be written down and is sent all the same')
    }
  }

  /** What stays because the disk takes no writes is reported once more by the next runner, and told that it is known. */
  async function drop(run: { runId: string; fence: number }): Promise<void> {
    if (!kept.delete(fileOf(run))) return
    await removeDurably(fileOf(run)).catch((error: unknown) =>
      log.warn({ runId: run.runId, err: error }, 'a result that was reported cannot be removed'),
    )
  }

  /** Any answer that no repeat can change, LEASE_LOST above all, ends the matter. A stop of this runner does not. */
  async function untilAnswered(run: { runId: string; fence: number }, report: () => Promise<unknown>): Promise<void> {
    try {
      await report()
    } catch (thrown) {
      const { code, retryable } = asTrueupError(thrown, 'reporting a result')
      if (code !== 'CANCELED' && !retryable) await drop(run)
      throw thrown
    }
  }

  async function deliver(entry: Entry): Promise<void> {
    kept.set(fileOf(entry), entry)
    try {
      await untilAnswered(entry, async () => {
        if (entry.applied) await link().deliver('applied', entry.applied)
        await link().deliver('finish', entry.finish)
      })
      await drop(entry)
      log.info({ runId: entry.runId }, 'reported what the runner before had left')
    } catch (thrown) {
      const error = asTrueupError(thrown, 'reporting a result')
      log.warn({ runId: entry.runId, code: error.code, why: error.message }, 'left result not reported')
    }
  }

  return {
    async applied(applied, ifKilled) {
      const { runId, fence } = applied
      await keep({ runId, fence, applied, finish: ifKilled })
      await untilAnswered(applied, () => link().deliver('applied', applied))
      const entry = kept.get(fileOf(applied))
      if (entry) delete entry.applied
    },
    async finish(finish) {
      const before = kept.get(fileOf(finish))
      if (before) await keep({ ...before, finish })
      await untilAnswered(finish, () => link().deliver('finish', finish))
      await drop(finish)
    },
    waiting: () => kept.size,
    left: () => left.map(({ runId, fence }) => ({ runId, fence })),
    async deliverLeft() {
      await Promise.all(left.map(deliver))
      left.length = 0
    },
  }
}

async function readEntries(directory: string, log: Logger): Promise<Entry[]> {
  const entries: Entry[] = []
  for (const name of await readdir(directory)) {
    if (name.endsWith(UNFINISHED)) {
      // Cut short before it was acknowledged; its run is found to be lost, or its earlier record stands.
      await removeDurably(join(directory, name))
      continue
    }
    if (!name.endsWith('.json')) continue
    try {
      entries.push(Entry.parse(JSON.parse(await readFile(join(directory, name), 'utf8'))))
    } catch (thrown) {
      log.error({ file: join(directory, name), err: thrown }, 'a result cannot be read and is left where it is')
    }
  }
  return entries
}
