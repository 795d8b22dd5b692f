import fc from 'fast-check'
import { expect, it } from 'vitest'
import { RUN_KINDS, type RunState } from '../../domain/runs/run.ts'
import { createRepository } from '../changes/repositories.ts'
import { claimRun } from '../runs/claim.ts'
import type { Run } from '../runs/runs.ts'
import { transitionRun } from '../runs/runs.ts'
import type { Scope } from '../workers/workers.ts'
import type { Bench } from './bench.ts'

export function claimConformance(bench: () => Bench): void {
  const move = async (run: Run | null, ...states: RunState[]) => {
    for (const to of states)
      await bench().store.transaction((tx) => transitionRun(tx, { runId: run?.id ?? '', to, actor: 'system' }))
  }
  /** Ids of all runs that can be claimed now, in order. */
  const drain = async () => {
    const ids: string[] = []
    for (let run = await bench().claim(); run; run = await bench().claim()) ids.push(run.id)
    return ids
  }

  it('gives the highest priority, then the earliest merge, then the oldest', async () => {
    const { run, stack, clock } = bench()
    const ids: { [kind: string]: string } = {}
    for (const kind of [...RUN_KINDS].reverse()) {
      clock.advance(1)
      ids[kind] = (await run(await stack(`by-${kind}`), { kind })).id
    }
    const second = await run(await stack('second'), { mergeSequence: 2 })
    const first = await run(await stack('first'), { mergeSequence: 1 })
    clock.advance(1)
    const late = await run(await stack('late'), { mergeSequence: 1 })
    const urgent = await run(await stack('urgent'), { kind: 'preview', priority: 99 })
    expect(await drain()).toEqual([
      urgent.id,
      ids.destroy,
      ids.deploy,
      first.id,
      late.id,
      second.id,
      ids.heal,
      ids.preview,
      ids.drift,
    ])
  })

  it('gives nothing of other pools, of the future, or that is to be canceled', async () => {
    const { run, stack, claim, clock } = bench()
    await run(await stack('a'), { pool: 'edge' })
    const later = await run(await stack('b'), { notBefore: clock.now() + 500 })
    expect(await claim()).toBeNull()
    clock.advance(500)
    expect((await claim())?.id).toBe(later.id)
    expect((await claim('worker_e', 'q', 1000, ['other', 'edge']))?.pool).toBe('edge')
    expect(await claim('worker_e', 'r', 1000, [])).toBeNull()
  })

  it('gives what needs a program only to workers that have one of its kind, and all to those that do not say', async () => {
    const { run, stack, store, clock } = bench()
    const { id } = await run(await stack('a'), { programs: ['terraform', 'tofu'] })
    const any = await run(await stack('b'))
    let asked = 0
    const claimWith = async (programs?: string[]) => {
      const request = `with ${++asked}`
      const wish = { workerId: 'w', pools: ['default'], request, leaseMs: 1_000, now: clock.now(), programs }
      return (await store.transaction((tx) => claimRun(tx, wish)))?.id
    }
    expect(await claimWith(['ofu', 'helm'])).toBe(any.id)
    expect(await claimWith([])).toBeUndefined()
    expect(await claimWith(['helm', 'tofu'])).toBe(id)
    const other = await run(await stack('c'), { programs: ['puppet'] })
    expect(await claimWith()).toBe(other.id)
  })

  it('takes the best over several pools', async () => {
    const { run, stack, claim } = bench()
    await run(await stack('a'), { kind: 'drift', pool: 'one' })
    const best = await run(await stack('b'), { kind: 'deploy', pool: 'two' })
    expect((await claim('worker_a', 'q', 1000, ['one', 'two']))?.id).toBe(best.id)
  })

  it('raises the token with every grant, and repeats a grant for the same request', async () => {
    const { run, stack, claim } = bench()
    await run(await stack('a'))
    const granted = await claim('worker_a', 'q1')
    expect(granted).toMatchObject({ fence: 1, state: 'leased', leaseRequest: 'q1' })
    expect(await claim('worker_a', 'q1')).toEqual(granted)
    await move(granted, 'preparing')
    expect(await claim('worker_a', 'q1')).toMatchObject({ id: granted?.id, fence: 1, state: 'preparing' })
    expect(await claim('worker_b', 'q1')).toBeNull()
    await move(granted, 'queued')
    expect(await claim('worker_a', 'q1')).toMatchObject({ id: granted?.id, fence: 2 })
  })

  it('waits until every dependency has succeeded', async () => {
    const { run, stack, claim } = bench()
    const up = await run(await stack('up'))
    const down = await run(await stack('down'), { dependsOn: [up.id], priority: 90 })
    expect((await claim())?.id).toBe(up.id)
    expect(await claim()).toBeNull()
    await move(up, 'preparing', 'planning', 'succeeded')
    expect((await claim())?.id).toBe(down.id)
  })

  it('never gives what depends on a run that failed', async () => {
    const { run, stack, claim } = bench()
    const up = await run(await stack('up'))
    await run(await stack('down'), { dependsOn: [up.id] })
    await move(up, 'failed')
    expect(await claim()).toBeNull()
  })

  it('gives one state-changing run of a stack at a time, and reading ones beside it', async () => {
    const { run, stack, claim } = bench()
    const vpc = await stack('vpc')
    const first = await run(vpc, { mergeSequence: 1 })
    const second = await run(vpc, { mergeSequence: 2 })
    const preview = await run(vpc, { kind: 'preview' })
    expect((await claim())?.id).toBe(first.id)
    expect((await claim())?.id).toBe(preview.id)
    for (const state of ['preparing', 'planning', 'applying', 'verifying'] as const) {
      await move(first, state)
      expect(await claim()).toBeNull()
    }
    await move(first, 'succeeded')
    expect((await claim())?.id).toBe(second.id)
  })

  it('lets an earlier merge go first also while it waits for approval, is blocked, or has to wait', async () => {
    const { run, stack, claim, clock } = bench()
    const vpc = await stack('vpc')
    const first = await run(vpc, { mergeSequence: 1, priority: 10 })
    const second = await run(vpc, { mergeSequence: 2 })
    expect((await claim())?.id).toBe(first.id)
    await move(first, 'preparing', 'planning', 'awaiting_approval')
    expect(await claim()).toBeNull()
    await move(first, 'queued')
    expect((await claim())?.id).toBe(first.id)
    await move(first, 'failed')
    const third = await run(vpc, { mergeSequence: 1, state: 'blocked' })
    const fourth = await run(vpc, { mergeSequence: 1, notBefore: clock.now() + 1000 })
    expect(await claim()).toBeNull()
    await move(third, 'canceled')
    expect(await claim()).toBeNull()
    clock.advance(1000)
    expect((await claim())?.id).toBe(fourth.id)
    await move(fourth, 'failed')
    expect((await claim())?.id).toBe(second.id)
  })

  it('does not let a deploy wait for a later merge or for a heal that waits', async () => {
    const { run, stack, claim } = bench()
    const vpc = await stack('vpc')
    const heal = await run(vpc, { kind: 'heal' })
    expect((await claim())?.id).toBe(heal.id)
    await move(heal, 'preparing', 'planning', 'awaiting_approval')
    const second = await run(vpc, { mergeSequence: 2, state: 'blocked' })
    const first = await run(vpc, { mergeSequence: 1 })
    expect((await claim())?.id).toBe(first.id)
    expect(second.state).toBe('blocked')
  })

  it('lets a heal wait for any pending deploy', async () => {
    const { run, stack, claim } = bench()
    const vpc = await stack('vpc')
    const heal = await run(vpc, { kind: 'heal', priority: 99 })
    const deploy = await run(vpc, { mergeSequence: 5, state: 'blocked' })
    expect(await claim()).toBeNull()
    await move(deploy, 'superseded')
    expect((await claim())?.id).toBe(heal.id)
  })

  it('lets no ring of runs wait for each other, whichever have a merge sequence', async () => {
    const { run, stack, clock } = bench()
    const vpc = await stack('vpc')
    const second = await run(vpc, { mergeSequence: 2 })
    clock.advance(1)
    const none = await run(vpc)
    clock.advance(1)
    const first = await run(vpc, { mergeSequence: 1 })
    const order: string[] = []
    for (let next = await bench().claim(); next; next = await bench().claim()) {
      order.push(next.id)
      await move(next, 'failed')
    }
    expect(order).toEqual([none.id, first.id, second.id])
  })

  it('gives each run once to many who ask at the same time', async () => {
    const { run, stack, claim } = bench()
    const made = new Set<string>()
    for (let i = 0; i < 30; i++) made.add((await run(await stack(`stack-${i}`))).id)
    const claims = await Promise.all(Array.from({ length: 60 }, (_, i) => claim(`worker_${i % 7}`, `q${i}`)))
    const granted = claims.filter((run) => run !== null).map((run) => run.id)
    expect(granted).toHaveLength(30)
    expect(new Set(granted)).toEqual(made)
  })

  it('lets people and repositories take turns, however many runs one of them has queued', async () => {
    const { run, stack, store } = bench()
    const vpc = await stack('vpc')
    const preview = (personId: string) => run(vpc, { kind: 'preview', personId })
    for (let i = 0; i < 20; i++) await preview('user_mallory')
    const others = ['user_ada', 'user_bob', 'user_zoe']
    for (const person of others) for (let i = 0; i < 3; i++) await preview(person)
    const order: string[] = []
    for (let next = await bench().claim(); next; next = await bench().claim()) {
      order.push(next.share)
      await move(next, 'preparing', 'planning', 'failed')
    }
    for (const person of others) {
      const turns = order.flatMap((share, at) => (share === person ? [at] : []))
      expect(turns).toHaveLength(3)
      expect(Math.max(...turns)).toBeLessThan(12)
    }
    const shop2 = await store.transaction((tx) =>
      createRepository(tx, { name: 'shop2', defaultBranch: 'main', hashKeySealed: 'v1.none' }),
    )
    for (let i = 0; i < 5; i++) await run(await stack(`deep-${i}`), { mergeSequence: 1 })
    const other = await run(vpc, { repositoryId: shop2.id, mergeSequence: 900 })
    const served = [await bench().claim(), await bench().claim()].map((claimed) => claimed?.id)
    expect(served).toContain(other.id)
  })

  it('gives the next slot to who holds the fewest', async () => {
    const { run, stack, claim } = bench()
    const vpc = await stack('vpc')
    for (let i = 0; i < 6; i++) await run(vpc, { kind: 'preview', personId: 'user_m' })
    for (let i = 0; i < 4; i++) await claim()
    await run(vpc, { kind: 'preview', personId: 'user_a' })
    await run(vpc, { kind: 'preview', personId: 'user_z' })
    const next = [await claim(), await claim(), await claim()].map((claimed) => claimed?.share)
    expect(next.slice(0, 2).toSorted((a, b) => (a! < b! ? -1 : 1))).toEqual(['user_a', 'user_z'])
    expect(next[2]).toBe('user_m')
  })

  it('serves everybody who has something ready within as many claims as there are people', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(4), { minLength: 1, maxLength: 30 }), async (owners) => {
        const { run, stack } = bench()
        const vpc = await stack('vpc')
        for (const owner of owners) await run(vpc, { kind: 'preview', personId: `user_${owner}` })
        const waiting = new Map<number, number>()
        for (const owner of owners) waiting.set(owner, (waiting.get(owner) ?? 0) + 1)
        while (waiting.size > 0) {
          const people = [...waiting.keys()]
          const round: string[] = []
          for (let i = 0; i < people.length; i++) {
            const next = await bench().claim()
            round.push(next!.share)
            await move(next, 'failed')
          }
          expect(round.sort()).toEqual(people.map((owner) => `user_${owner}`).sort())
          for (const owner of people) {
            if (waiting.get(owner) === 1) waiting.delete(owner)
            else waiting.set(owner, waiting.get(owner)! - 1)
          }
        }
        expect(await bench().claim()).toBeNull()
      }),
      { numRuns: 15 },
    )
  })

  it('gives a worker nothing of a repository or an environment that it is not enrolled for', async () => {
    const { run, stack, store, repository, clock } = bench()
    const made = await run(await stack('vpc'), { pool: 'vault' })
    const claim = (scope: Scope) =>
      store.transaction((tx) =>
        claimRun(tx, {
          workerId: 'worker_s',
          pools: ['vault'],
          scope,
          request: JSON.stringify(scope),
          leaseMs: 1000,
          now: clock.now(),
        }),
      )
    expect(await claim({ repositories: ['repo_other'], environments: [] })).toBeNull()
    expect(await claim({ repositories: [], environments: ['staging'] })).toBeNull()
    expect(await claim({ repositories: [repository.id], environments: ['staging'] })).toBeNull()
    expect((await claim({ repositories: [repository.id], environments: ['staging', 'production'] }))?.id).toBe(made.id)
  })
}
