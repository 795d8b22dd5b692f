import type { Migration } from './migration.ts'
import { makeIndex } from './table.ts'

/** The ways to what is older than it is to be kept, so that looking for it does not read all that stays. */
export const retentionIndexes: Migration = {
  number: 15,
  name: 'retention-indexes',
  breaking: false,
  async up(db) {
    const ended = '"finishedAt" is not null'
    await makeIndex(db, 'runsByEnd', { table: 'runs', on: '"kind", "finishedAt", "id"', where: ended })
    await makeIndex(db, 'runsPlanned', {
      table: 'runs',
      on: '"kind", "finishedAt", "id"',
      where: `${ended} and "planJson" is not null`,
    })
    await makeIndex(db, 'runsLogged', {
      table: 'runs',
      on: '"kind", "finishedAt", "id"',
      where: `${ended} and "logSize" > 0`,
    })
    await makeIndex(db, 'stacksBroken', {
      table: 'stacks',
      on: '"brokenByRunId"',
      where: '"brokenByRunId" is not null',
    })
    await makeIndex(db, 'driftRecordsByRun', {
      table: 'driftRecords',
      on: '"runId"',
      where: `"state" in ('open', 'accepted')`,
    })
  },
}
