import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { summarise } from '../../domain/plans/summary.ts'
import { createRepository } from '../changes/repositories.ts'
import { openStore, type Store } from '../open.ts'
import { createRuns } from '../runs/create.ts'
import { type DeliveryMemory, deliveryDays } from './delivery.ts'
import { createDeployment, type Deployment } from './deployments.ts'
import { createDriftRecord } from './drift.ts'
import { upsertStack } from './stacks.ts'

const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000
/** The first day of the window; the clock of the test stands at noon of the fourth. */
const FIRST = 20_000 * DAY_MS
const NOW = FIRST + 3 * DAY_MS + DAY_MS / 2

let store: Store
let directory: string
let repositoryId: string
const stacks: Record<string, string> = {}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'trueup-delivery-'))
  store = await openStore(directory)
  await store.transaction(async (tx) => {
    repositoryId = (await createRepository(tx, { name: 'shop', defaultBranch: 'main', hashKeySealed: 'sealed' })).id
    for (const name of ['a', 'b']) {
      const own = { repositoryId, environment: 'production', name, path: name, driver: 'files' }
      stacks[name] = (await upsertStack(tx, { ...own, status: 'in_sync', config: {} })).id
    }
  })
})
afterAll(async () => {
  await store.close()
  await rm(directory, { recursive: true, force: true })
})

async function deployed(name: string, finishedAt: number, own: Partial<Deployment> = {}): Promise<void> {
  const of = { stackId: stacks[name]!, repositoryId, commitOid: 'c', desiredDigest: 'd' }
  await store.transaction(async (tx) => {
    const [runId] = await createRuns(tx, [{ ...of, kind: 'deploy', spec: {}, actor: 'system' }])
    const rest = {
      mrId: null,
      previousCommitOid: null,
      actorId: null,
      summary: summarise([], { checked: 0, unchecked: [] }),
    }
    await createDeployment(tx, {
      ...of,
      ...rest,
      runId: runId!,
      kind: 'deploy',
      status: 'succeeded',
      finishedAt,
      ...own,
    })
  })
}

const window = (now = NOW) => ({ repositoryId, since: now - 3 * DAY_MS, now })

it('tells each day what it gave, and a failure until its end, days later too', async () => {
  await deployed('a', FIRST + HOUR_MS)
  await deployed('a', FIRST + 2 * HOUR_MS, { status: 'failed' })
  await deployed('a', FIRST + DAY_MS, { status: 'failed' })
  await deployed('b', FIRST + DAY_MS + 1, { kind: 'heal' })
  await deployed('a', FIRST + 2 * DAY_MS + 2 * HOUR_MS)
  await store.transaction(async (tx) => {
    const record = { stackId: stacks.b!, address: 'file', attribute: 'content', actions: 'update', runId: 'run_x' }
    const none = { expected: null, actual: null, acceptedById: null, acceptedReason: null, acceptedUntil: null }
    const times = { since: FIRST + DAY_MS - 5_000, lastSeenAt: FIRST, closedAt: FIRST + DAY_MS + 1 }
    await createDriftRecord(tx, { ...record, ...none, ...times, state: 'healed', healCount: 1 })
  })
  const nothing = { deployed: 0, failed: 0, heals: 0, leadMs: null, restoreMs: null, driftMs: null }
  expect(await deliveryDays(store.db, window())).toEqual({
    partial: false,
    days: [
      { ...nothing, day: FIRST, deployed: 1, failed: 1 },
      { ...nothing, day: FIRST + DAY_MS, failed: 1, heals: 1, driftMs: 5_001 },
      { ...nothing, day: FIRST + 2 * DAY_MS, deployed: 1, restoreMs: 2 * DAY_MS },
      { ...nothing, day: FIRST + 3 * DAY_MS },
    ],
  })
})

it('says the same from memory, and reads today anew', async () => {
  const memory: DeliveryMemory = new Map()
  expect(await deliveryDays(store.db, window(), memory)).toEqual(await deliveryDays(store.db, window()))
  // Nobody looks at a day that is over again.
  await deployed('b', FIRST + 5)
  await deployed('b', NOW - 1)
  const { days } = await deliveryDays(store.db, window(), memory)
  expect(days.map((day) => day.deployed)).toEqual([1, 0, 1, 1])
  // Soon after midnight what ended before it may still be written.
  const early = window(FIRST + 4 * DAY_MS + 60_000)
  await deliveryDays(store.db, early, memory)
  await deployed('b', FIRST + 4 * DAY_MS - 1)
  expect((await deliveryDays(store.db, early, memory)).days.map((day) => day.deployed)).toEqual([0, 1, 2, 0])
})
