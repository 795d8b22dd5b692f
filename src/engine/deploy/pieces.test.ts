import { execFile } from 'node:child_process'
import { AsyncLocalStorage } from 'node:async_hooks'
import { fileURLToPath } from 'node:url'
import { expect, it, onTestFinished } from 'vitest'
import { listAudit } from '../../store/audit/list.ts'
import { verifyAudit } from '../../store/audit/verify.ts'
import { listRuns } from '../../store/runs/runs.ts'
import { allStacks } from '../../store/stacks/stacks.ts'
import { begunStep, deployCursor } from '../revisions/cursor.ts'
import { cancelRun } from '../runs/actions.ts'
import { configOf, runsOf, stackOf } from '../testing/flows.ts'
import type { Files } from '../testing/harness.ts'
import { useWorld } from '../testing/use-world.ts'
import { runEnded } from './run-ended.ts'

const KILLED = fileURLToPath(new URL('../testing/killed-program.ts', import.meta.url))

const { harness } = useWorld()

const names = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, at) => `x/${String(from + at).padStart(3, '0')}`)
const files = (paths: readonly string[], value: string | null): Files =>
  Object.fromEntries(paths.map((path) => (value === null ? [path, null] : [`${path}/value`, value])))
const LAB = configOf({ first: {}, 'x/*': { needs: ['first'] } }, { environments: { lab: {} } })

/** Each stack with how many deployments of a commit were ordered for it. */
async function ordered(commitOid: string): Promise<Map<string, number>> {
  const counts = new Map<string, number>()
  const { store, repositoryId } = harness
  let cursor: string | undefined
  do {
    const page = await listRuns(store.db, { repositoryId, commitOid, kinds: ['deploy'] }, { limit: 500, cursor })
    for (const { stackId } of page.items) counts.set(stackId, (counts.get(stackId) ?? 0) + 1)
    cursor = page.next ?? undefined
  } while (cursor !== undefined)
  return counts
}

const steps = async () => (await listAudit(harness.store.db, { action: 'deploy.ordered' })).items.length

/** Runs something in the middle of the next step, and nothing else of the engine meanwhile. */
function inTheMiddle(work: () => Promise<void>): void {
  const { store, repositoryId } = harness
  const original = store.transaction.bind(store) as typeof store.transaction
  const inside = new AsyncLocalStorage<boolean>()
  let held: Promise<void> | undefined
  store.transaction = async (transaction) => {
    if (!inside.getStore() && (await begunStep(store.db, repositoryId))) await (held ??= inside.run(true, work))
    return (await original(transaction)) as never
  }
  onTestFinished(() => void (store.transaction = original))
}

it('an engine that is killed in the middle of a step of many stacks orders the rest once', {
  timeout: 300_000,
}, async () => {
  await harness.push('main', { 'trueup.yaml': LAB, 'first/value': '1', ...files(names(0, 270), '1') })
  expect(await steps()).toBe(1)
  const git = harness.git
  const parent = (await git.resolve('refs/heads/main'))!
  // 150 stacks change, 120 leave, one is new.
  const changes = { ...files(names(0, 150), '2'), ...files(names(150, 270), null), 'x/new/value': '2' }
  const commit = await git.commitFiles({
    parent,
    message: 'Change many',
    author: { name: 'a', email: 'a@example.test', at: harness.clock.now() },
    files: Object.entries(changes).map(([path, content]) => ({
      path,
      content: content === null ? null : Buffer.from(content),
    })),
  })
  await git.updateRef('refs/heads/main', commit, parent)
  const { directory, repositoryId } = harness
  await harness.restart(async () => {
    for (let kill = 0; kill < 2; kill++)
      expect(
        await new Promise((resolve) =>
          execFile(process.execPath, [KILLED, directory, repositoryId], (error) => resolve(error?.signal)),
        ),
      ).toBe('SIGKILL')
  })
  expect(await begunStep(harness.store.db, repositoryId)).toMatchObject({ commitOid: commit })
  await harness.settle()
  const { db } = harness.store
  expect([await begunStep(db, repositoryId), await deployCursor(db, repositoryId)]).toEqual([null, commit])
  const counts = await ordered(commit)
  expect([counts.size, new Set(counts.values())]).toEqual([151, new Set([1])])
  const stacks = await allStacks(db, { repositoryId, removed: true })
  expect(stacks.filter(({ removedAt }) => removedAt !== null)).toHaveLength(120)
  const wanted = stacks.filter(({ desiredCommit }) => desiredCommit === commit)
  expect(new Set(wanted.map(({ id }) => id))).toEqual(new Set(counts.keys()))
  expect(await steps()).toBe(2)
  expect(await verifyAudit(db)).toMatchObject({ ok: true })
})

it('what fails while the rest is ordered blocks what needs it there', { timeout: 300_000 }, async () => {
  inTheMiddle(async () => {
    const [first] = await runsOf(harness, { stack: 'lab/first' })
    const { parts } = harness.engine
    await cancelRun(parts, { runId: first!.id, actorId: harness.users.second.id })
    await runEnded(parts, first!.id)
    // Nothing tells the later ones any more: they find out themselves.
    await harness.store.transaction((tx) => tx.deleteFrom('tasks').where('kind', '=', 'run.ended').execute())
  })
  await harness.push('main', { 'trueup.yaml': LAB, 'first/value': '1', ...files(names(0, 150), '1') })
  const { items } = await listRuns(harness.store.db, { kinds: ['deploy'] }, { limit: 500 })
  const states = items.map(({ state }) => state)
  expect([states.length, states.filter((state) => state === 'blocked').length]).toEqual([151, 150])
  expect(await stackOf(harness, 'lab/x/149')).toMatchObject({ status: 'blocked' })
})

it('what succeeds while the rest is ordered keeps nothing waiting', { timeout: 300_000 }, async () => {
  inTheMiddle(async () => {
    const [first] = await runsOf(harness, { stack: 'lab/first' })
    await harness.store.transaction((tx) =>
      tx.updateTable('runs').set({ state: 'succeeded', finishedAt: 1 }).where('id', '=', first!.id).execute(),
    )
  })
  await harness.push('main', { 'trueup.yaml': LAB, 'first/value': '1', ...files(names(0, 150), '1') })
  const { items } = await listRuns(harness.store.db, { kinds: ['deploy'], states: ['queued'] }, { limit: 500 })
  const ready = items.filter((run) => run.ready)
  // Those of the first transaction wait for what nobody told them of; the others were ordered after it.
  expect([items.length, ready.length]).toEqual([150, 51])
})
