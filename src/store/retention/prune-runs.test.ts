import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { DEFAULT_RETENTION, type Retention } from '../../domain/retention.ts'
import { createMergeRequest, patchMergeRequest } from '../changes/merge-requests.ts'
import { type Bench, openBench } from '../conformance/bench.ts'
import { openStore } from '../open.ts'
import { appendRunLog, readRunLog } from '../runs/log.ts'
import { getRun, patchRun, type Run, transitionRun } from '../runs/runs.ts'
import { databaseSizeAside } from '../reading/reading.ts'
import { setMeta } from '../database/meta.ts'
import { createDeployment } from '../stacks/deployments.ts'
import { createQuarantine } from '../stacks/quarantine.ts'
import { patchStack } from '../stacks/stacks.ts'
import { createStateVersion, listStateVersions } from '../stacks/state.ts'
import { pruneStates } from './prune-states.ts'
import { pruneRuns } from './prune-runs.ts'
import { getRetention, setRetention } from './retention.ts'

const DAY = 86_400_000
const kept = (days: number | null, count: number | null = null) => ({ days, count })
const GOOD: Retention = {
  logs: kept(null),
  plans: kept(null),
  previews: kept(null),
  checks: kept(null),
  states: kept(null),
  audit: kept(null),
}
const KEEP: Retention = { ...GOOD, logs: kept(10), plans: kept(20), previews: kept(40), checks: kept(40) }
const NONE = { previews: 0, checks: 0, plans: 0, logs: 0 }

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
      await appendRunLog(tx, { runId: id, fence: held.fence }, { offset: 0, text: 'said something\n' })
      await patchRun(tx, id, { plan: { digest: 'sha256:p', summary: {}, changes: [] } as never })
      for (const to of ['preparing', 'planning', 'succeeded'] as const)
        await transitionRun(tx, { runId: id, to, actor: 'system' })
    })
    return id
  }
  const openMr = () =>
    bench.store.transaction((tx) => {
      const oid = 'c'.repeat(40)
      return createMergeRequest(tx, {
        repositoryId: bench.repository.id,
        number: 1,
        title: 'Change',
        description: '',
        sourceBranch: 'change',
        targetBranch: 'main',
        headOid: oid,
        targetOid: oid,
        draft: false,
        authorId: 'user_a',
      })
    })
  const days = (count: number) => bench.clock.advance(count * DAY)
  const pruned = (dryRun = false, retention = KEEP) => pruneRuns(bench.store, retention, { dryRun })
  const found = (id: string) => getRun(bench.store.db, id)

  it('goes kind by kind: logs, then plans, then the run; what changed something keeps its plan', async () => {
    const [look, deploy] = [await ended('drift'), await ended('deploy')]
    await ended('drift')
    await ended('deploy')
    days(11)
    expect(await pruned(true)).toEqual({ ...NONE, logs: 2 })
    expect((await readRunLog(bench.store.db, look)).text).toBe('said something\n')
    expect(await pruned()).toEqual({ ...NONE, logs: 2 })
    expect(await readRunLog(bench.store.db, look)).toEqual({ text: '', times: [], next: 0, size: 0, truncated: false })
    days(10)
    expect(await pruned(true)).toEqual({ ...NONE, plans: 1 })
    expect(await pruned()).toEqual({ ...NONE, plans: 1 })
    expect(await found(look)).toMatchObject({ plan: null, planDigest: 'sha256:p' })
    days(20)
    expect(await pruned()).toEqual({ ...NONE, checks: 1 })
    expect(await found(look)).toBeUndefined()
    expect(await found(deploy)).toMatchObject({ plan: { digest: 'sha256:p' } })
    expect(await pruned()).toEqual(NONE)
  })

  it('counts what goes with its run once, whether it only says so or does it', async () => {
    for (let at = 0; at < 4; at++) await ended('drift')
    for (let at = 0; at < 3; at++) await ended('preview')
    days(100)
    const expected = { previews: 2, checks: 3, plans: 0, logs: 0 }
    expect(await pruned(true)).toEqual(expected)
    expect(await pruned()).toEqual(expected)
  })

  it('goes by count too, for each stack, but not on its first day', async () => {
    const looks: string[] = []
    for (let at = 0; at < 5; at++) looks.push(await ended('drift'))
    const other = [await ended('drift', { stack: 'b' }), await ended('drift', { stack: 'b' })]
    const few = { ...GOOD, logs: kept(null, 1), plans: kept(null, 2), checks: kept(null, 3) }
    expect(await pruned(false, few)).toEqual(NONE)
    days(2)
    const expected = { previews: 0, checks: 2, plans: 1, logs: 3 }
    expect(await pruned(true, few)).toEqual(expected)
    expect(await pruned(false, few)).toEqual(expected)
    expect(await pruned(false, few)).toEqual(NONE)
    const plans = await Promise.all([...looks, ...other].map(async (id) => (await found(id))?.plan?.digest))
    expect(plans).toEqual([undefined, undefined, undefined, 'sha256:p', 'sha256:p', 'sha256:p', 'sha256:p'])
    expect((await readRunLog(bench.store.db, other[1]!)).size).toBeGreaterThan(0)
    expect((await readRunLog(bench.store.db, other[0]!)).size).toBe(0)
  })

  it('stays where something leads to it: the newest look at a stack, an open merge request, what has not ended', async () => {
    const { store, run, stack } = bench
    const mr = await openMr()
    const shown = await ended('preview', { mrId: mr.id })
    await ended('preview')
    const newest = await ended('drift')
    const waiting = await run(await stack('b'), { kind: 'preview' })
    await run(await stack('b'), { kind: 'preview' })
    days(100)
    expect(await pruned()).toEqual(NONE)
    for (const id of [shown, newest]) expect(await found(id)).toMatchObject({ plan: { digest: 'sha256:p' } })
    expect(await found(waiting.id)).toMatchObject({ state: 'queued' })
    await store.transaction((tx) => patchMergeRequest(tx, mr.id, { state: 'closed' }))
    expect(await pruned()).toEqual({ ...NONE, previews: 1 })
  })

  it('stays where it deployed what is there, broke it, is in quarantine, or found drift that stands', async () => {
    const { store, repository, stack } = bench
    const { id: stackId } = await stack('a')
    const common = { stackId, repositoryId: repository.id }
    const deploy = async (status: 'succeeded' | 'failed') => {
      const runId = await ended('deploy')
      const deployment = { ...common, runId, mrId: null, kind: 'deploy' as const, commitOid: 'c'.repeat(40) }
      const facts = { previousCommitOid: null, desiredDigest: 'sha256:d', summary: {} as never, actorId: null }
      await store.transaction((tx) =>
        createDeployment(tx, { ...deployment, ...facts, status, finishedAt: bench.clock.now() }),
      )
      return runId
    }
    const before = await deploy('succeeded')
    const good = await deploy('succeeded')
    const bad = await deploy('failed')
    await deploy('failed')
    const [seen, healed] = [await ended('drift'), await ended('drift')]
    await ended('drift')
    await store.transaction(async (tx) => {
      await patchStack(tx, stackId, { brokenByRunId: bad })
      await tx.updateTable('runs').set({ desiredDigest: 'sha256:bad' }).where('id', '=', before).execute()
    })
    await store.db
      .insertInto('driftRecords')
      .values([record('open', seen), record('healed', healed)])
      .execute()
    const quarantined = await store.transaction((tx) =>
      createQuarantine(tx, {
        ...common,
        commitOid: 'c'.repeat(40),
        desiredDigest: 'sha256:bad',
        reason: 'it broke',
        mrId: null,
        createdById: null,
        liftedAt: null,
        liftedById: null,
        liftedReason: null,
      }),
    )
    days(100)
    expect(await pruned()).toEqual({ ...NONE, checks: 1 })
    expect(await found(healed)).toBeUndefined()
    for (const id of [before, good, bad, seen]) expect((await readRunLog(store.db, id)).size).toBeGreaterThan(0)
    await store.db.updateTable('quarantine').set({ liftedAt: 1 }).where('id', '=', quarantined.id).execute()
    await store.transaction((tx) => patchStack(tx, stackId, { brokenByRunId: null }))
    expect(await pruned()).toEqual({ ...NONE, logs: 2 })
    expect((await readRunLog(store.db, good)).size).toBeGreaterThan(0)

    function record(state: 'open' | 'healed', runId: string) {
      return {
        ...common,
        id: `drift_${state}`,
        environment: 'production',
        address: state,
        attribute: 'mode',
        expectedJson: null,
        actualJson: null,
        actions: 'update',
        state,
        since: 1,
        lastSeenAt: 1,
        closedAt: null,
        healCount: 0,
        acceptedById: null,
        acceptedReason: null,
        acceptedUntil: null,
        runId,
      }
    }
  })

  it('leaves the current version of a state, and what is neither too old nor too many', async () => {
    const { store, stack } = bench
    const { id: stackId } = await stack('a')
    for (const workspace of ['default', 'next'])
      for (let version = 1; version <= 30; version++) {
        bench.clock.advance(DAY)
        const facts = { lineage: 'l', serial: version, md5: '', sealed: Buffer.from('x'), runId: null, actorId: null }
        await store.transaction((tx) => createStateVersion(tx, { stackId, workspace, version, ...facts }))
      }
    const there = async (workspace: string) =>
      (await listStateVersions(store.db, stackId, workspace, { limit: 100 })).items.map(({ version }) => version)
    const go = (keep: { days: number | null; count: number | null }, dryRun = false) =>
      pruneStates(store, keep, { dryRun })
    expect(await go(kept(null))).toBe(0)
    expect(await go(kept(40, 25), true)).toBe(19 + 5)
    expect(await go(kept(40, 25))).toBe(24)
    expect(await there('default')).toHaveLength(11)
    expect((await there('next')).at(-1)).toBe(6)
    days(400)
    expect(await go(kept(40))).toBe(10 + 24)
    expect([await there('default'), await there('next')]).toEqual([[30], [30]])
    expect(await go(kept(1, 1))).toBe(0)
  })

  it('is what somebody has said, or the default', async () => {
    expect(await getRetention(bench.store.db)).toEqual(DEFAULT_RETENTION)
    await bench.store.transaction((tx) => setRetention(tx, KEEP))
    expect(await getRetention(bench.store.db)).toEqual(KEEP)
    // As an earlier version stored it.
    await bench.store.transaction((tx) => setMeta(tx, 'retention', '{"logs":5,"plans":6,"runs":7}'))
    const looks = { previews: kept(7), checks: kept(7) }
    expect(await getRetention(bench.store.db)).toEqual({
      ...DEFAULT_RETENTION,
      logs: kept(5),
      plans: kept(6),
      ...looks,
    })
    const { bytes, tables } = await databaseSizeAside(bench.store)
    expect(tables.map(({ table }) => table)).toContain('runs')
    expect(tables.reduce((sum, table) => sum + table.bytes, 0)).toBeLessThanOrEqual(bytes)
  })
})
