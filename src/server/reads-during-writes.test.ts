import { expect, it } from 'vitest'
import { setMeta } from '../store/database/meta.ts'
import { useServer } from './testing/use-server.ts'

const { server, admin } = useServer()

/** What people and probes look at; a repository "shop" is made first. */
const READS = [
  '/api/v1/repositories',
  '/api/v1/repositories/shop',
  '/api/v1/repositories/shop/overview',
  '/api/v1/repositories/shop/stacks',
  '/api/v1/repositories/shop/runs',
  '/api/v1/repositories/shop/merge-requests',
  '/api/v1/repositories/shop/deployments',
  '/api/v1/repositories/shop/drift',
  '/api/v1/audit',
  '/api/v1/workers',
  '/healthz',
  '/metrics',
]

it('lists, pages and streams are answered while a transaction is open, and a write after it', async () => {
  const begun = Promise.withResolvers<void>()
  const mayEnd = Promise.withResolvers<void>()
  expect((await admin.request('POST', '/api/v1/repositories', { name: 'shop' })).status).toBe(201)
  const eve = await server.person('eve')
  const open = server.store.transaction(async (tx) => {
    await setMeta(tx, 'held', 'yes')
    begun.resolve()
    await mayEnd.promise
  })
  try {
    await begun.promise
    for (const path of READS) expect([path, (await admin.request('GET', path)).status]).toEqual([path, 200])
    // A token that was never used is noted as used, and that waits alone.
    expect((await eve.request('GET', '/api/v1/repositories')).status).toBe(200)
    const over = new AbortController()
    const headers = { authorization: `Bearer ${admin.token}` }
    expect((await fetch(`${server.url}/api/v1/events`, { headers, signal: over.signal })).status).toBe(200)
    over.abort()
    let written = false
    const write = admin.request('POST', '/api/v1/repositories', { name: 'second' }).then((answer) => {
      written = true
      return answer
    })
    expect((await admin.request('GET', '/api/v1/repositories')).body.items).toHaveLength(1)
    expect(written).toBe(false)
    mayEnd.resolve()
    expect((await write).status).toBe(201)
    // Who has written reads what they wrote.
    expect((await admin.request('GET', '/api/v1/repositories')).body.items).toHaveLength(2)
  } finally {
    mayEnd.resolve()
    await open
  }
})
