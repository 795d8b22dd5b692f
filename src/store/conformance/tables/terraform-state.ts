import { expect, it } from 'vitest'
import {
  createStateVersion,
  freeStateLock,
  latestStateVersion,
  listStateVersions,
  listStateWorkspaces,
  pruneStateVersions,
  takeStateLock,
} from '../../stacks/state.ts'
import { type Bench, refusal } from '../bench.ts'
import { handsOn } from './hands.ts'

export function stateTables(bench: () => Bench): void {
  const { db, write } = handsOn(bench)

  it('Terraform state: versions once, contents as bytes, one lock', async () => {
    const vpc = await bench().stack('vpc')
    const version = (number: number) =>
      write((tx) =>
        createStateVersion(tx, {
          stackId: vpc.id,
          workspace: 'default',
          version: number,
          lineage: 'l',
          serial: number,
          md5: 'm',
          sealed: Uint8Array.from([0, 255, number]),
        }),
      )
    for (const number of [1, 2, 3]) await version(number)
    await refusal(version(3), 'CONFLICT')
    const latest = await latestStateVersion(db(), vpc.id, 'default')
    expect(latest?.version).toBe(3)
    expect([...(latest?.sealed ?? [])]).toEqual([0, 255, 3])
    const { items } = await listStateVersions(db(), vpc.id, 'default', { limit: 2 })
    expect(items.map((listed) => listed.version)).toEqual([3, 2])
    expect(items[0]).not.toHaveProperty('sealed')
    expect(await listStateWorkspaces(db(), vpc.id)).toEqual(['default'])
    expect(await write((tx) => pruneStateVersions(tx, vpc.id, 'default', 2))).toBe(1)
    const take = (lockId: string) =>
      write((tx) =>
        takeStateLock(tx, {
          stackId: vpc.id,
          workspace: 'default',
          lockId,
          info: { Who: 'ada' },
          runId: null,
          userId: null,
        }),
      )
    expect(await take('one')).toMatchObject({ taken: true })
    expect(await take('two')).toMatchObject({ taken: false, lock: { lockId: 'one', info: { Who: 'ada' } } })
    const free = (lockId: string | null) => write((tx) => freeStateLock(tx, vpc.id, 'default', lockId))
    expect(await free('two')).toBe(false)
    expect(await free('one')).toBe(true)
    await take('three')
    expect(await free(null)).toBe(true)
    expect(await free(null)).toBe(false)
  })
}
