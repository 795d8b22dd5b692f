import { expect, it } from 'vitest'
import { configOf, propose } from '../testing/flows.ts'
import { useWorld } from '../testing/use-world.ts'
import { dropMergeResults } from './drop-results.ts'
import { mergeResultRef } from './merge-result.ts'

const DAY = 86_400_000

const { harness, world } = useWorld({
  files: { 'trueup.yaml': configOf({ a: {} }), 'a/value': '1' },
  still: true,
})

it('drops refs of results that nobody needs any more, keeps their objects, and those of open requests', async () => {
  const closed = await propose(harness, 'closed', { 'a/value': '2' })
  const open = await propose(harness, 'open', { 'a/value': '3' })
  await world.work()
  const results = await Promise.all([closed, open].map(({ number }) => harness.git.resolve(mergeResultRef(number))))
  expect(results.every((oid) => oid !== null)).toBe(true)
  await harness.git.updateRef('refs/trueup/mr/x/other', results[0]!, '0'.repeat(40))
  await harness.forge.changes.close(closed.id, 'user:x', 'not wanted')
  const drop = () => {
    const before = harness.clock.now() - 90 * DAY
    return dropMergeResults(harness.store.db, harness.git, { repositoryId: harness.repositoryId, before })
  }
  expect(await drop()).toBe(0)
  harness.clock.advance(91 * DAY)
  expect(await drop()).toBe(1)
  expect(await drop()).toBe(0)
  expect([...(await harness.git.refs('refs/trueup/mr/')).keys()].sort()).toEqual(
    [mergeResultRef(open.number), 'refs/trueup/mr/x/other'].sort(),
  )
  // What a run or the page of the request names by its id is still there.
  expect((await harness.git.commit(results[0]!)).oid).toBe(results[0])
})
