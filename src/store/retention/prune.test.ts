import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createMergeRequest } from '../changes/merge-requests.ts'
import { type Bench, openBench } from '../conformance/bench.ts'
import { openStore } from '../open.ts'
import { appendRunLog, readRunLog } from '../runs/log.ts'
import { getRun, patchRun, type Run, transitionRun } from '../runs/runs.ts'
import { databaseSizeAside } from '../reading/reading.ts'
import { prune } from './prune.ts'
import { DEFAULT_RETENTION, getRetention, setRetention } from './retention.ts'

const DAY = 86_400_000
const KEEP = { logs: 10, plans: 20, runs: 40 }

describe('what is older than it is to be kept', () => {
  let bench: Bench
  beforeEach(async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'trueup-prune-'))
    bench = await openBench(async (options) => {
      const store = await openStore(dataDir, options)
      const dispose = async () => {
        await store.close()
        await rm(dataDir, { recursive: true })
      }
      return { store, dispose }
    })
  })
  afterEach(() => bench.dispose())

  /** A run that has gone its way, with a log and a plan. */
  async function ended(kind: Run['kind'], more: { mrId?: string; stack?: string } = {}): Promise<string> {
    const { store, run, stack, claim } = bench
    const { stack: name = 'a', ...rest } = more
    const { id } = await run(await stack(name), { kind, ...rest })
    const held = (await claim())!
    expect(held.id).toBe(id)
    await store.transaction(async (tx) => {
      await appendRunLog(tx, id, held.fence, 0, 'said something\n')
      await patchRun(tx, id, { plan: { digest: 'sha256:p', summary: {}, changes: [] } as never })
      for (const to of ['preparing', 'planning', 'succeeded'] as const)
        await transitionRun(tx, { runId: id, to, actor: 'system' })
    })
    return id
  }
  const days = (count: number) => bench.clock.advance(count * DAY)
  const pruned = (dryRun = false) => prune(bench.store, KEEP, { dryRun })
  const found = (id: string) => getRun(bench.store.db, id)

  it('goes kind by kind: logs, then plans, then the run; what changed something keeps its plan', async () => {
    const [look, deploy] = [await ended('drift'), await ended('deploy')]
    await ended('drift')
    days(11)
    expect(await pruned(true)).toEqual({ logs: 3, plans: 0, runs: 0 })
    expect((await readRunLog(bench.store.db, look)).text).toBe('said something\n')
    expect(await pruned()).toEqual({ logs: 3, plans: 0, runs: 0 })
    expect(await readRunLog(bench.store.db, look)).toEqual({ text: '', next: 0, size: 0, truncated: false })
    days(10)
    expect(await pruned()).toEqual({ logs: 0, plans: 1, runs: 0 })
    expect(await found(look)).toMatchObject({ plan: null, planDigest: 'sha256:p' })
    days(20)
    expect(await pruned()).toEqual({ logs: 0, plans: 0, runs: 1 })
    expect(await found(look)).toBeUndefined()
    expect(await found(deploy)).toMatchObject({ plan: { digest: 'sha256:p' } })
    expect(await pruned()).toEqual({ logs: 0, plans: 0, runs: 0 })
  })

  it('stays where something leads to it: the newest look at a stack, an open merge request, what has not ended', async () => {
    const { store, repository, run, stack } = bench
    const oid = 'c'.repeat(40)
    const mr = await store.transaction((tx) =>
      createMergeRequest(tx, {
        repositoryId: repository.id,
        number: 1,
        title: 'Change',
        description: '',
        sourceBranch: 'change',
        targetBranch: 'main',
        headOid: oid,
        targetOid: oid,
        draft: false,
        authorId: 'user_a',
      }),
    )
    const shown = await ended('preview', { mrId: mr.id })
    await ended('preview')
    const newest = await ended('drift')
    const waiting = await run(await stack('b'), { kind: 'preview' })
    await run(await stack('b'), { kind: 'preview' })
    days(100)
    expect(await pruned()).toEqual({ logs: 3, plans: 0, runs: 0 })
    expect(await found(shown)).toMatchObject({ plan: { digest: 'sha256:p' } })
    expect(await found(newest)).toMatchObject({ plan: { digest: 'sha256:p' } })
    expect(await found(waiting.id)).toMatchObject({ state: 'queued' })
  })

  it('is what somebody has said, or the default', async () => {
    expect(await getRetention(bench.store.db)).toEqual(DEFAULT_RETENTION)
    await bench.store.transaction((tx) => setRetention(tx, KEEP))
    expect(await getRetention(bench.store.db)).toEqual(KEEP)
    const { bytes, tables } = await databaseSizeAside(bench.store)
    expect(tables.map(({ table }) => table)).toContain('runs')
    expect(tables.reduce((sum, table) => sum + table.bytes, 0)).toBeLessThanOrEqual(bytes)
  })
})
