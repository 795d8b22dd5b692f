import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openStore, type Store } from '../../store/open.ts'
import { patchUser } from '../../store/people/users.ts'
import { authenticate } from './authenticate.ts'
import { ensureFirstAdmin, recoverAdmin } from './first-run.ts'

describe('the first administrator', () => {
  let dir: string
  let store: Store
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'trueup-first-'))
    store = await openStore(dir)
  })
  afterEach(async () => {
    await store.close()
    await rm(dir, { recursive: true, force: true })
  })
  const tokenIn = async (file: string): Promise<string> => `Bearer ${(await readFile(file, 'utf8')).trim()}`

  it('gets back in by a new token when the first one is lost', async () => {
    const { file } = await ensureFirstAdmin(store, dir)
    await rm(file!)
    expect(await ensureFirstAdmin(store, dir)).toEqual({ file: null, userId: null, created: false })
    const recovered = await recoverAdmin(store, dir)
    expect(recovered.name).toBe('admin')
    expect(await authenticate(store, await tokenIn(recovered.file), '127.0.0.1')).toMatchObject({
      name: 'admin',
      kind: 'admin',
    })
  })

  it('is told when no administrator may log in', async () => {
    await ensureFirstAdmin(store, dir)
    const { userId } = await authenticate(store, await tokenIn(join(dir, 'admin.token')), '127.0.0.1')
    await patchUser(store.db, userId, { disabledAt: 1 })
    await expect(recoverAdmin(store, dir)).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })
})
