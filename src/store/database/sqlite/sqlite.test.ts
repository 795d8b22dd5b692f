import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { storeConformance } from '../../conformance.ts'
import { openStore } from '../../open.ts'

storeConformance('sqlite', async (options) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'trueup-store-'))
  const store = await openStore(dataDir, options)
  return {
    store,
    dispose: async () => {
      await store.close()
      await rm(dataDir, { recursive: true })
    },
  }
})
