import { describe, expect, it } from 'vitest'
import { listAudit } from '../../store/audit/list.ts'
import { setMember } from '../../store/people/members.ts'
import { alice, runActor, useStateServer } from '../testing/state-server.ts'

const { server, states, ids, key, credentials, leaseRun, endRun, request } = useStateServer()

/** A state file, as a tool sends it. */
const state = (serial: number) => ({
  version: 4,
  terraform_version: '1.11.4',
  serial,
  lineage: 'here',
  outputs: {},
  resources: [],
})

describe('the protocol of the state backend', () => {
  it('knows nobody without credentials, and a run only while it holds its lease', async () => {
    const run = await leaseRun('deploy')
    expect(await request('GET', null)).toMatchObject({ status: 401 })
    expect(await request('GET', [run.id, 'guess'])).toMatchObject({ status: 401 })
    expect(await request('GET', credentials(run))).toMatchObject({ status: 204 })
    await endRun(run)
    expect(await request('GET', credentials(run))).toMatchObject({ status: 401 })
  })

  it('stores nothing of a run whose lease ended while its state was on the way', async () => {
    const run = await leaseRun('deploy')
    const zombie = runActor(run)
    const body = Buffer.from(JSON.stringify(state(1)))
    await endRun(run)
    await expect(states.write(zombie, key(), body, null)).rejects.toMatchObject({ code: 'LEASE_LOST' })
    await expect(states.lock(zombie, key(), { ID: 'late' })).rejects.toMatchObject({ code: 'LEASE_LOST' })
    expect(await states.read(key())).toBeNull()
    expect(await states.lockHolder(key())).toBeNull()
  })

  it('lets a preview read and nothing else', async () => {
    const run = await leaseRun('preview')
    expect(await request('GET', credentials(run))).toMatchObject({ status: 204 })
    expect(await request('LOCK', credentials(run), { ID: 'a' })).toMatchObject({ status: 403 })
    expect(await request('POST', credentials(run), state(1))).toMatchObject({ status: 403 })
  })

  it('answers a held lock with its holder', async () => {
    const run = await leaseRun('deploy')
    expect(await request('LOCK', credentials(run), { ID: 'first', Who: 'root@runner' })).toMatchObject({ status: 200 })
    expect(await request('LOCK', credentials(run), { ID: 'first', Who: 'root@runner' })).toMatchObject({ status: 200 })
    const second = await request('LOCK', credentials(run), { ID: 'second' })
    expect(second.status).toBe(423)
    expect(JSON.parse(second.body)).toMatchObject({
      ID: 'first',
      Who: 'root@runner',
      holder: `run ${run.id}`,
      runId: run.id,
      worker: 'worker-1',
    })
    expect(await request('POST', credentials(run), state(1))).toMatchObject({ status: 423 })
    expect(await request('POST', credentials(run), state(1), '?ID=second')).toMatchObject({ status: 423 })
    expect(await request('POST', credentials(run), state(1), '?ID=first')).toMatchObject({ status: 200 })
    expect(await request('UNLOCK', credentials(run), { ID: 'second' })).toMatchObject({ status: 423 })
    expect(await request('UNLOCK', credentials(run))).toMatchObject({ status: 403 })
    expect(await request('UNLOCK', credentials(run), { ID: 'first' })).toMatchObject({ status: 200 })
    expect(await request('UNLOCK', credentials(run), { ID: 'first' })).toMatchObject({ status: 200 })
  })

  it('refuses an old serial and another lineage, and takes the same content twice', async () => {
    const run = await leaseRun('deploy')
    const post = async (body: object) => (await request('POST', credentials(run), body)).status
    expect(await post(state(3))).toBe(200)
    expect(await post(state(3))).toBe(200)
    expect(await post({ ...state(3), outputs: { changed: {} } })).toBe(409)
    expect(await post(state(2))).toBe(409)
    expect(await post({ ...state(9), lineage: 'another' })).toBe(409)
    expect(await post({ serial: 10 })).toBe(400)
    expect(await post(state(4))).toBe(200)
    const { items } = await states.versions(key())
    expect(items.map(({ version, serial, runId }) => [version, serial, runId])).toEqual([
      [2, 4, run.id],
      [1, 3, run.id],
    ])
  })

  it('takes nothing under a lock that was opened by force', async () => {
    const run = await leaseRun('deploy')
    await request('LOCK', credentials(run), { ID: 'mine' })
    expect(await request('POST', credentials(run), state(1), '?ID=mine')).toMatchObject({ status: 200 })
    expect(await request('POST', credentials(run), state(2), '?ID=other')).toMatchObject({ status: 423 })
    await states.unlock(alice, key(), null)
    expect(await request('POST', credentials(run), state(2), '?ID=mine')).toMatchObject({ status: 409 })
    // The repeat of a write whose answer was lost.
    expect(await request('POST', credentials(run), state(1), '?ID=mine')).toMatchObject({ status: 200 })
  })

  it('lets no run give back what another holds, though it was told the id', async () => {
    const run = await leaseRun('deploy')
    await states.lock(alice, key(), { ID: 'laptop' })
    expect((await request('LOCK', credentials(run), { ID: 'mine' })).body).toContain('laptop')
    expect(await request('UNLOCK', credentials(run), { ID: 'laptop' })).toMatchObject({ status: 403 })
    expect(await states.lockHolder(key())).toMatchObject({ ID: 'laptop' })
  })

  it('restores every digit of a number', async () => {
    const run = await leaseRun('deploy')
    const number = '90071992547409931'
    const first = JSON.stringify({ ...state(1), outputs: { n: { value: 'N', type: 'number' } } }).replace('"N"', number)
    await states.write(runActor(run), key(), Buffer.from(first), null)
    await states.write(runActor(run), key(), Buffer.from(JSON.stringify(state(2))), null)
    await states.restore(alice, key(), 1)
    const restored = (await states.read(key()))?.body.toString() ?? ''
    expect(restored).toContain(`"value": ${number}`)
    expect(JSON.parse(restored)).toMatchObject({ serial: 3 })
  })

  it('refuses a body that was cut, and to delete', async () => {
    const run = await leaseRun('deploy')
    const cut = await request('POST', credentials(run), state(1), '', { 'content-md5': 'AAAAAAAAAAAAAAAAAAAAAA==' })
    expect(cut.status).toBe(400)
    expect(await request('DELETE', credentials(run))).toMatchObject({ status: 400 })
  })

  it('keeps the content sealed', async () => {
    const run = await leaseRun('deploy')
    await request('POST', credentials(run), { ...state(1), outputs: { password: { value: 'correct-horse' } } })
    const row = await server.store.db.selectFrom('stateVersions').selectAll().executeTakeFirstOrThrow()
    expect(Buffer.from(row.sealed).toString('latin1')).not.toContain('correct-horse')
    expect((await request('GET', credentials(run))).body).toContain('correct-horse')
  })

  it('takes a lock over whose run is over, and says so in the audit', async () => {
    const first = await leaseRun('deploy')
    await request('LOCK', credentials(first), { ID: 'orphan' })
    await endRun(first)
    const second = await leaseRun('deploy')
    expect(await request('LOCK', credentials(second), { ID: 'next' })).toMatchObject({ status: 200 })
    expect(await states.lockHolder(key())).toMatchObject({ ID: 'next', runId: second.id })
    const events = await listAudit(server.store.db, {})
    expect(events.items.map(({ action }) => action)).toContain('state.lock-taken-over')
  })

  it('lets deployers use it by token, and other people not even look', async () => {
    const [anna, bob] = [await server.person('anna'), await server.person('bob')]
    await setMember(server.store.db, { repositoryId: ids.repositoryId, userId: anna.id, role: 'deployer' })
    await setMember(server.store.db, { repositoryId: ids.repositoryId, userId: bob.id, role: 'maintainer' })
    expect(await request('GET', ['anna', anna.token])).toMatchObject({ status: 204 })
    expect(await request('LOCK', ['anna', anna.token], { ID: 'laptop' })).toMatchObject({ status: 200 })
    // As `terraform force-unlock` does it: without a body.
    expect(await request('UNLOCK', ['anna', anna.token])).toMatchObject({ status: 200 })
    expect(await states.lockHolder(key())).toBeNull()
    expect(await request('GET', ['bob', bob.token])).toMatchObject({ status: 403 })
    const carol = await server.person('carol')
    expect(await request('GET', ['carol', carol.token])).toMatchObject({ status: 404 })
  })
})
