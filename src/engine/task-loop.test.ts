import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { silentLogger } from '../lib/log.ts'
import { openStore, type Store } from '../store/open.ts'
import { enqueueTask, nextTaskAt } from '../store/runs/tasks.ts'
import { startTaskLoop } from './task-loop.ts'

describe('follow-up work', () => {
  let directory: string
  let store: Store
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'trueup-tasks-'))
    store = await openStore(directory)
  })
  afterEach(async () => {
    await store.close()
    await rm(directory, { recursive: true, force: true })
  })

  it('is handled once the database takes writes again, after neither its end nor its failure could be written', async () => {
    const readOnly = (on: boolean) => sql.raw(`pragma query_only = ${on ? 1 : 0}`).execute(store.db)
    let handled = 0
    const refused: string[] = []
    const log = { ...silentLogger, error: (_fields: object, message: string) => void refused.push(message) }
    const loop = await startTaskLoop(
      { store, log },
      {
        async work() {
          handled += 1
          if (handled === 1) await readOnly(true)
        },
      },
    )
    await store.transaction((tx) => enqueueTask(tx, { kind: 'work', key: 'a' }))
    await expect.poll(() => refused).toContain('putting off follow-up work')
    await readOnly(false)
    await expect.poll(() => handled, { timeout: 180_000 }).toBe(2)
    await expect.poll(() => nextTaskAt(store.db)).toBeNull()
    await loop.stop()
  })
})
