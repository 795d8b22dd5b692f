import { expect, it } from 'vitest'
import {
  createDriftRecord,
  healsSince,
  listDriftRecords,
  patchDriftRecord,
  recordHeals,
  standingDrift,
} from '../../stacks/drift.ts'
import { activeFreezes, createFreeze, liftFreeze } from '../../stacks/freezes.ts'
import { createQuarantine, findQuarantine, liftQuarantine, listQuarantine } from '../../stacks/quarantine.ts'
import { type Bench, refusal } from '../bench.ts'
import { OID, handsOn } from './hands.ts'

export function driftTables(bench: () => Bench): void {
  const { db, write } = handsOn(bench)

  it('drift: one open record for an attribute, heals by time', async () => {
    const { repository, stack, clock } = bench()
    const vpc = await stack('vpc')
    const record = (attribute: string) =>
      write((tx) =>
        createDriftRecord(tx, {
          stackId: vpc.id,
          address: '/etc/motd',
          attribute,
          expected: 'a',
          actual: { b: 1 },
          actions: 'update',
          state: 'open',
          since: 1,
          lastSeenAt: 1,
          healCount: 0,
          runId: 'run_1',
        }),
      )
    const content = await record('content')
    await refusal(record('content'), 'CONFLICT')
    await write((tx) => patchDriftRecord(tx, content.id, { state: 'healed', closedAt: 2 }))
    const again = await record('content')
    const mode = await record('mode')
    await write((tx) => patchDriftRecord(tx, mode.id, { state: 'accepted', acceptedReason: 'known' }))
    expect((await standingDrift(db(), vpc.id)).map((standing) => standing.id)).toEqual([again.id, mode.id])
    expect((await listDriftRecords(db(), { repositoryId: repository.id, states: ['open'] })).items).toEqual([again])
    expect((await listDriftRecords(db(), { repositoryId: 'repo_none' })).items).toEqual([])
    await write((tx) => recordHeals(tx, vpc.id, [{ address: '/etc/motd', attribute: 'content' }]))
    clock.advance(10)
    expect(await healsSince(db(), vpc.id, clock.now() - 10)).toHaveLength(1)
    expect(await healsSince(db(), vpc.id, clock.now())).toEqual([])
  })

  it('quarantine and freezes stand until lifted or over', async () => {
    const { repository, stack, clock } = bench()
    const vpc = await stack('vpc')
    const entry = await write((tx) =>
      createQuarantine(tx, {
        repositoryId: repository.id,
        stackId: vpc.id,
        commitOid: OID,
        desiredDigest: 'd',
        reason: 'r',
      }),
    )
    expect(await findQuarantine(db(), vpc.id, 'd')).toEqual(entry)
    expect(await findQuarantine(db(), vpc.id, 'e')).toBeUndefined()
    await write((tx) => liftQuarantine(tx, entry.id, { reason: 'good again', byId: null }))
    expect(await listQuarantine(db(), { stackId: vpc.id })).toEqual([])
    const freeze = await write((tx) =>
      createFreeze(tx, {
        repositoryId: repository.id,
        environment: 'production',
        reason: 'holidays',
        createdById: 'user_1',
        until: clock.now() + 10,
      }),
    )
    expect(await activeFreezes(db(), { environment: 'production' })).toEqual([freeze])
    clock.advance(10)
    expect(await activeFreezes(db())).toEqual([])
    await write((tx) => liftFreeze(tx, freeze.id))
  })
}
