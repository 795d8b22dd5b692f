import { expect, it } from 'vitest'
import { verifyAudit } from './audit/verify.ts'
import { openStore } from './open.ts'
import { temporaryDirectory } from './testing/directory.ts'
import { startChild } from './testing/process.ts'

it('has every acknowledged transaction whole, and an unbroken chain, after each of 20 kills', {
  timeout: 300_000,
}, async () => {
  const dataDir = await temporaryDirectory()
  const acknowledged: string[] = []
  for (let round = 0; round < 20; round++) {
    const writer = startChild(['write', dataDir, `round${round}`])
    await writer.lines(2 + ((round * 7) % 60))
    await writer.kill()
    for (const line of writer.said) if (typeof line.wrote === 'string') acknowledged.push(line.wrote)

    const store = await openStore(dataDir)
    try {
      const tasks = (await store.db.selectFrom('tasks').select('dedupeKey').execute()).map((task) => task.dedupeKey)
      const events = (await store.db.selectFrom('audit').select('subject').execute()).map((event) => event.subject)
      const stored = new Set(tasks)
      expect(acknowledged.filter((subject) => !stored.has(subject))).toEqual([])
      // At most one transaction of each round can have been committed without its word getting out.
      expect(tasks.length - acknowledged.length).toBeLessThanOrEqual(round + 1)
      // Both rows of a transaction or none.
      expect(events.sort()).toEqual(tasks.sort())
      expect(await verifyAudit(store.db)).toMatchObject({ ok: true, count: tasks.length })
    } finally {
      await store.close()
    }
  }
  expect(acknowledged.length).toBeGreaterThan(200)
})
