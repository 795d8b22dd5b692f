import { expect } from 'vitest'
import type { Clock } from '../../lib/clock.ts'
import { type ErrorCode } from '../../lib/errors/table.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import type { Store, StoreOptions } from '../open.ts'
import { createRepository, type Repository } from '../changes/repositories.ts'
import { claimRun } from '../runs/claim.ts'
import { createRun, type NewRun, type Run } from '../runs/runs.ts'
import { type Stack, upsertStack } from '../stacks/stacks.ts'

export type OpenStore = (options: StoreOptions) => Promise<{ store: Store; dispose: () => Promise<void> }>

/** A clock that stands still until it is moved. */
export interface MovableClock extends Clock {
  advance(ms: number): void
}

export function movableClock(start = 1_700_000_000_000): MovableClock {
  let time = start
  return { now: () => time, advance: (ms) => void (time += ms) }
}

/** An empty store with a repository, and short ways to what the tests are made of. */
export interface Bench {
  store: Store
  clock: MovableClock
  repository: Repository
  stack: (name: string) => Promise<Stack>
  run: (stack: Stack, run?: Partial<NewRun>) => Promise<Run>
  claim: (worker?: string, request?: string, leaseMs?: number, pools?: string[]) => Promise<Run | null>
  dispose: () => Promise<void>
}

let requests = 0

export async function openBench(open: OpenStore): Promise<Bench> {
  const clock = movableClock()
  const { store, dispose } = await open({ clock })
  const repository = await store.transaction((tx) =>
    createRepository(tx, { name: 'shop', defaultBranch: 'main', hashKeySealed: 'v1.none' }),
  )
  return {
    store,
    clock,
    repository,
    dispose,
    stack: (name) =>
      store.transaction((tx) =>
        upsertStack(tx, {
          repositoryId: repository.id,
          environment: 'production',
          name,
          path: name,
          driver: 'files',
          config: { driver: 'files' },
        }),
      ),
    run: (stack, run) =>
      store.transaction((tx) =>
        createRun(tx, {
          stackId: stack.id,
          repositoryId: repository.id,
          kind: 'deploy',
          commitOid: 'c'.repeat(40),
          desiredDigest: 'sha256:d',
          spec: { path: stack.path },
          actor: 'system',
          ...run,
        }),
      ),
    claim: (worker = 'worker_a', request = `request ${++requests}`, leaseMs = 30_000, pools = ['default']) =>
      store.transaction((tx) => claimRun(tx, { workerId: worker, pools, request, leaseMs, now: clock.now() })),
  }
}

/** Expects a TrueupError of this code, and gives it. */
export async function refusal(promise: Promise<unknown>, code: ErrorCode): Promise<TrueupError> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(TrueupError)
  const refused = error as TrueupError
  expect(refused.code, refused.explain()).toBe(code)
  return refused
}
