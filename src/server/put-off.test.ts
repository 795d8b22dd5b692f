import { sql } from 'kysely'
import { expect, it } from 'vitest'
import { configOf } from '../engine/testing/flows.ts'
import { NO_OID } from '../git/repository.ts'
import { startTestServer } from './testing/app.ts'
import { until } from './testing/live.ts'

it('a merge request that Trueup cannot go on with says why, until it goes on', async () => {
  const server = await startTestServer()
  try {
    const person = await server.person('root', { kind: 'admin' })
    const { id } = await server.repository('shop')
    const git = server.engine.parts.git.repository(id)
    const author = { name: 'root', email: 'root@example.test', at: Date.now() }
    const commit = async (branch: string, parent: string | null, files: { [path: string]: string }) => {
      const oid = await git.commitFiles({
        parent,
        message: branch,
        author,
        files: Object.entries(files).map(([path, content]) => ({ path, content: Buffer.from(content) })),
      })
      expect(await git.updateRef(`refs/heads/${branch}`, oid, NO_OID)).toBe(true)
      return oid
    }
    const main = await commit('main', null, { 'trueup.yaml': configOf({ a: {} }), 'a/value': '1' })
    await commit('two', main, { 'a/value': '2' })
    // A database that takes no more runs.
    await sql`create trigger full before insert on runs begin select raise(abort, 'no room left'); end`.execute(
      server.store.db,
    )
    const path = '/api/v1/repositories/shop/merge-requests'
    const { status } = await person.request('POST', path, { sourceBranch: 'two', title: 'Two' })
    expect(status).toBe(201)
    const show = async () => (await person.request('GET', `${path}/1`)).body
    const stuck = await until(show, (mr) => mr.problems.length > 0)
    expect(stuck).toMatchObject({ planned: false, mergeable: false })
    expect(stuck.problems).toMatchObject([
      { code: 'UNAVAILABLE', doing: 'planning !1', next: expect.stringContaining('tried again at') },
    ])
    await sql`drop trigger full`.execute(server.store.db)
    const planned = await until(show, (mr) => mr.problems.length === 0 && mr.stacks.length > 0)
    expect(planned).toMatchObject({ stacks: [{ state: 'queued' }] })
  } finally {
    await server.close()
  }
})
