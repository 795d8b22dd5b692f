import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll } from 'vitest'
import { describeWithTool } from '../../../../test/tools.ts'
import { standIn } from '../../../lib/testing/stand-in.ts'
import { storeConformance } from '../../conformance.ts'
import { openStore } from '../../open.ts'
import { type PostgresServer, startPostgres, versionOfPostgres } from './testing/cluster.ts'

describeWithTool('postgres', 'PostgreSQL', (tool) => {
  let started: PostgresServer | undefined
  let migrated: string
  const server = standIn(() => started)
  beforeAll(async () => {
    started = await startPostgres(tool.path)
    // Migrated once; each test has a copy of it.
    migrated = await server.database()
    const dataDir = await mkdtemp(join(tmpdir(), 'trueup-store-'))
    await (await openStore(dataDir, { database: migrated })).close()
    await rm(dataDir, { recursive: true })
  })
  afterAll(() => started?.stop())

  storeConformance(
    `postgres ${versionOfPostgres(tool.path)}`,
    async (options) => {
      const dataDir = await mkdtemp(join(tmpdir(), 'trueup-store-'))
      const store = await openStore(dataDir, { ...options, database: await server.copyOf(migrated) })
      return {
        store,
        dispose: async () => {
          await store.close()
          await rm(dataDir, { recursive: true })
        },
      }
    },
    { histories: 25 },
  )
})
