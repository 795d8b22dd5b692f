import { randomBytes } from 'node:crypto'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { nextRun, openHostStack, openStack, type TerraformContext } from '../../../test/terraform-provider/stack.ts'
import { describeWithTool } from '../../../test/tools.ts'
import type { RunKind } from '../../domain/runs/run.ts'
import { RunRequest } from '../../domain/runs/run-request.ts'
import { terraformDriver } from '../../drivers/terraform/index.ts'
import { hashKeyContext } from '../../engine/keys.ts'
import { makeTerraformStates, type StateActor, type TerraformStates } from '../../engine/state-backend/state-backend.ts'
import { statePassword } from '../../engine/worker/grant.ts'
import { runProcess } from '../../lib/process/run.ts'
import { listAudit } from '../../store/audit/audit.ts'
import { openKeys } from '../../store/database/keys.ts'
import { setMember } from '../../store/people/members.ts'
import { patchRepository } from '../../store/changes/repositories.ts'
import { claimRun } from '../../store/runs/claim.ts'
import { createRun, type Run, transitionRun } from '../../store/runs/runs.ts'
import { upsertStack } from '../../store/stacks/stacks.ts'
import { startTestServer, type TestServer } from '../testing/app.ts'

let server: TestServer
let states: TerraformStates
let stackId: string
let repositoryId: string
const hashKey = randomBytes(32)
const opened: TerraformContext[] = []

beforeEach(async () => {
  server = await startTestServer()
  const keys = await openKeys(server.dataDir, server.store.db)
  states = makeTerraformStates({ store: server.store, keys })
  repositoryId = (await server.repository('infra')).id
  await patchRepository(server.store.db, repositoryId, {
    hashKeySealed: keys.seal(hashKey, hashKeyContext(repositoryId)),
  })
  const stack = {
    repositoryId,
    environment: 'production',
    name: 'network',
    path: 'network',
    driver: 'terraform',
    config: {},
  }
  stackId = (await server.store.transaction((tx) => upsertStack(tx, stack as never))).id
})
afterEach(async () => {
  for (const context of opened.splice(0)) await context.remove()
  await server.close()
})

describe('the protocol', () => {
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
    const key = { stackId, workspace: 'default' }
    const zombie = actorOf(run)
    const body = Buffer.from(JSON.stringify(state(1)))
    await endRun(run)
    await expect(states.write(zombie, key, body, null)).rejects.toMatchObject({ code: 'LEASE_LOST' })
    await expect(states.lock(zombie, key, { ID: 'late' })).rejects.toMatchObject({ code: 'LEASE_LOST' })
    expect(await states.read(key)).toBeNull()
    expect(await states.lockHolder(key)).toBeNull()
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
    const { items } = await states.versions({ stackId, workspace: 'default' })
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
    await states.unlock(alice(), { stackId, workspace: 'default' }, null)
    expect(await request('POST', credentials(run), state(2), '?ID=mine')).toMatchObject({ status: 409 })
    // The repeat of a write whose answer was lost.
    expect(await request('POST', credentials(run), state(1), '?ID=mine')).toMatchObject({ status: 200 })
  })

  it('lets no run give back what another holds, though it was told the id', async () => {
    const run = await leaseRun('deploy')
    const key = { stackId, workspace: 'default' }
    await states.lock(alice(), key, { ID: 'laptop' })
    expect((await request('LOCK', credentials(run), { ID: 'mine' })).body).toContain('laptop')
    expect(await request('UNLOCK', credentials(run), { ID: 'laptop' })).toMatchObject({ status: 403 })
    expect(await states.lockHolder(key)).toMatchObject({ ID: 'laptop' })
  })

  it('restores every digit of a number', async () => {
    const run = await leaseRun('deploy')
    const number = '90071992547409931'
    const first = JSON.stringify({ ...state(1), outputs: { n: { value: 'N', type: 'number' } } }).replace('"N"', number)
    const key = { stackId, workspace: 'default' }
    await states.write(actorOf(run), key, Buffer.from(first), null)
    await states.write(actorOf(run), key, Buffer.from(JSON.stringify(state(2))), null)
    await states.restore(alice(), key, 1)
    const restored = (await states.read(key))?.body.toString() ?? ''
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
    expect(await states.lockHolder({ stackId, workspace: 'default' })).toMatchObject({ ID: 'next', runId: second.id })
    const events = await listAudit(server.store.db, {})
    expect(events.items.map(({ action }) => action)).toContain('state.lock-taken-over')
  })

  it('lets deployers use it by token, and other people not even look', async () => {
    const [alice, bob] = [await server.person('alice'), await server.person('bob')]
    await setMember(server.store.db, { repositoryId, userId: alice.id, role: 'deployer' })
    await setMember(server.store.db, { repositoryId, userId: bob.id, role: 'maintainer' })
    expect(await request('GET', ['alice', alice.token])).toMatchObject({ status: 204 })
    expect(await request('LOCK', ['alice', alice.token], { ID: 'laptop' })).toMatchObject({ status: 200 })
    // As `terraform force-unlock` does it: without a body.
    expect(await request('UNLOCK', ['alice', alice.token])).toMatchObject({ status: 200 })
    expect(await states.lockHolder({ stackId, workspace: 'default' })).toBeNull()
    expect(await request('GET', ['bob', bob.token])).toMatchObject({ status: 403 })
    const carol = await server.person('carol')
    expect(await request('GET', ['carol', carol.token])).toMatchObject({ status: 404 })
  })
})

for (const name of ['terraform', 'tofu'] as const) {
  describeWithTool(name, 'the state backend under the real tool', (tool) => {
    const TWO = `
      resource "terraform_data" "a" { input = "one" }
      output "a" { value = terraform_data.a.output }
    `

    it('plans without a lock, applies under one, and every workspace has a state of its own', async () => {
      const preview = await leaseRun('preview')
      const context = await open({ 'stack/main.tf': TWO }, preview, { phase: 'plan' })
      expect((await terraformDriver.plan(context)).changes).toHaveLength(2)
      await endRun(preview)

      const deploy = await leaseRun('deploy')
      const applying = await nextRun(context, { phase: 'apply', stateBackend: backend(deploy) })
      const result = await terraformDriver.apply(applying, await terraformDriver.plan(applying))
      expect(result.outputs).toEqual({ a: { value: 'one', sensitive: false } })
      const other = await nextRun(context, {
        phase: 'apply',
        stateBackend: backend(deploy),
        config: { ...context.config, workspace: 'blue' },
      })
      expect((await terraformDriver.plan(other)).changes).toHaveLength(2)
      expect(await states.lockHolder({ stackId, workspace: 'default' })).toBeNull()
      expect((await states.versions({ stackId, workspace: 'default' })).items).toHaveLength(1)
      expect((await states.versions({ stackId, workspace: 'blue' })).items).toHaveLength(0)
    })

    it('names a lock that someone else holds, and opens by force', async () => {
      const run = await leaseRun('deploy')
      const context = await open({ 'stack/main.tf': TWO }, run, { with: { lockTimeout: '1s' } })
      await states.lock(alice(), { stackId, workspace: 'default' }, { ID: 'held-by-alice' })
      await expect(terraformDriver.plan(context)).rejects.toMatchObject({
        code: 'STATE_LOCKED',
        message: expect.stringContaining('held-by-alice'),
      })

      const deployer = await server.person('dora', { kind: 'admin' })
      const unlock = await runProcess({
        argv: [tool.path, 'force-unlock', '-force', 'held-by-alice'],
        cwd: context.directory,
        env: {
          PATH: context.env.PATH ?? '',
          HOME: context.scratch,
          TF_DATA_DIR: join(context.scratch, 'terraform'),
          TF_HTTP_ADDRESS: `${server.url}/api/v1/state/${stackId}/default`,
          TF_HTTP_LOCK_ADDRESS: `${server.url}/api/v1/state/${stackId}/default`,
          TF_HTTP_UNLOCK_ADDRESS: `${server.url}/api/v1/state/${stackId}/default`,
          TF_HTTP_USERNAME: 'dora',
          TF_HTTP_PASSWORD: deployer.token,
        },
      })
      expect(unlock.exitCode, unlock.stderr).toBe(0)
      const plan = await terraformDriver.plan(await nextRun(context, { stateBackend: backend(run) }))
      expect(plan.changes).toHaveLength(2)
    })

    it('survives a killed apply: the lock of the dead run is taken over, what was stored is known', async () => {
      const first = await leaseRun('deploy')
      const { context, target, code } = await openHostStack(
        tool,
        `
        resource "hostfile_file" "slow" {
          path     = "/slow"
          content  = "1"
          delay_ms = 60000
        }
      `,
        { stateBackend: backend(first) },
      )
      opened.push(context)
      const plan = await terraformDriver.plan(context)
      const kill = new AbortController()
      const killable: TerraformContext = {
        ...context,
        run: (spec) => context.run({ ...spec, kill: kill.signal }),
      }
      const applying = terraformDriver.apply(killable, plan)
      await vi.waitFor(() => readFile(join(target, 'slow')), { timeout: 20_000, interval: 50 })
      kill.abort()
      const result = await applying
      expect(result.status).not.toBe('applied')
      expect(result.findings.map(({ code: finding }) => finding)).toContain('tool_killed')
      expect(await states.lockHolder({ stackId, workspace: 'default' })).toMatchObject({ runId: first.id })
      await endRun(first)

      const second = await leaseRun('deploy')
      await code(`
        resource "hostfile_file" "slow" {
          path    = "/slow"
          content = "1"
        }
      `)
      const later = await nextRun(context, { stateBackend: backend(second) })
      const again = await terraformDriver.plan(later)
      expect(again.changes).toMatchObject([{ address: 'hostfile_file.slow', actions: ['create'] }])
      const healed = await terraformDriver.apply(later, again)
      expect(healed.status).toBe('applied')
      expect(await states.lockHolder({ stackId, workspace: 'default' })).toBeNull()
    })

    it('is edited by a run under its lock, as a new version, and lists its objects to deployers', async () => {
      const run = await leaseRun('heal')
      const context = await open({ 'stack/main.tf': TWO }, run)
      await terraformDriver.apply(context, await terraformDriver.plan(context))
      const request = RunRequest.parse({ state: { do: 'move', from: 'terraform_data.a', to: 'terraform_data.b[0]' } })
      const its = await nextRun(context, { request })
      const plan = await terraformDriver.plan(its)
      expect((await states.versions({ stackId, workspace: 'default' })).items).toHaveLength(1)
      const held = { ID: 'laptop' }
      await states.lock(alice(), { stackId, workspace: 'default' }, held)
      const impatient = await nextRun(its, { request, config: { ...its.config, lockTimeout: '1s' } })
      await expect(terraformDriver.apply(impatient, plan)).rejects.toMatchObject({ code: 'STATE_LOCKED' })
      await states.unlock(alice(), { stackId, workspace: 'default' }, held.ID)
      expect(await terraformDriver.apply(its, plan)).toMatchObject({ status: 'applied' })
      expect((await states.versions({ stackId, workspace: 'default' })).items).toHaveLength(2)
      expect(await states.lockHolder({ stackId, workspace: 'default' })).toBeNull()

      const [dora, bob] = [await server.person('dora'), await server.person('bob')]
      await setMember(server.store.db, { repositoryId, userId: dora.id, role: 'deployer' })
      await setMember(server.store.db, { repositoryId, userId: bob.id, role: 'maintainer' })
      const list = (token: string) =>
        fetch(`${server.url}/api/v1/repositories/infra/state/objects?stack=production/network`, {
          headers: { authorization: `Bearer ${token}` },
        })
      const provider = expect.stringMatching(/^terraform\.io\/builtin\/terraform$/)
      expect(await (await list(dora.token)).json()).toEqual({
        stack: 'production/network',
        workspace: 'default',
        version: 2,
        objects: [{ address: 'terraform_data.b[0]', type: 'terraform_data', provider, note: null }],
      })
      expect((await list(bob.token)).status).toBe(403)
      const { items } = await listAudit(server.store.db, { action: 'state.list' }, { limit: 10 })
      expect(items).toMatchObject([{ actor: `user:${dora.id}`, subject: stackId }])
    })

    it('makes an earlier version current again, and the tool goes on from there', async () => {
      const run = await leaseRun('deploy')
      const context = await open({ 'stack/main.tf': TWO }, run)
      await terraformDriver.apply(context, await terraformDriver.plan(context))
      await context.write({ 'stack/main.tf': TWO.replace('one', 'two') })
      const later = await nextRun(context)
      await terraformDriver.apply(later, await terraformDriver.plan(later))
      expect((await terraformDriver.plan(await nextRun(context))).changes).toEqual([])

      const restored = await states.restore(alice(), { stackId, workspace: 'default' }, 1)
      expect(restored.version).toBe(3)
      const after = await nextRun(context)
      const plan = await terraformDriver.plan(after)
      expect(plan.changes[0]).toMatchObject({ address: 'terraform_data.a', actions: ['update'] })
      expect((await terraformDriver.apply(after, plan)).status).toBe('applied')
    })

    it('keeps the state when the backend refuses it at the end, and says where', async () => {
      const run = await leaseRun('deploy')
      const { context, target } = await openHostStack(
        tool,
        `
        resource "hostfile_file" "slow" {
          path     = "/slow"
          content  = "1"
          delay_ms = 1500
        }
      `,
        { stateBackend: backend(run) },
      )
      opened.push(context)
      const plan = await terraformDriver.plan(context)
      const applying = terraformDriver.apply(context, plan)
      await vi.waitFor(() => readFile(join(target, 'slow')), { timeout: 20_000, interval: 20 })
      // The lease is taken away while the tool works: from here on its credentials are worth nothing.
      await endRun(run)
      const result = await applying
      expect(result.status).toBe('failed')
      const kept = result.findings.find(({ code }) => code === 'state_not_stored')
      const file = /\/\S+\.tfstate/.exec(kept?.message ?? '')?.[0] ?? ''
      expect(JSON.parse(await readFile(file, 'utf8')).resources).toHaveLength(1)
      await rm(file)
    })

    async function open(
      files: { [path: string]: string },
      run: Run,
      options: Parameters<typeof openStack>[2] = {},
    ): Promise<TerraformContext> {
      const context = await openStack(tool, files, { stateBackend: backend(run), ...options })
      opened.push(context)
      return context
    }
  })
}

const alice = (): StateActor => ({ runId: null, userId: 'usr_alice', label: 'alice', write: true })
const state = (serial: number) => ({
  version: 4,
  terraform_version: '1.11.4',
  serial,
  lineage: 'here',
  outputs: {},
  resources: [],
})
const actorOf = (run: Run): StateActor => ({
  runId: run.id,
  userId: null,
  label: run.id,
  write: true,
  fence: run.fence,
})
const credentials = (run: Run): [string, string] => [run.id, statePassword(hashKey, run)]
const backend = (run: Run) => {
  const [username, password] = credentials(run)
  return { address: `${server.url}/api/v1/state/${stackId}`, username, password }
}

async function leaseRun(kind: RunKind): Promise<Run> {
  const { store } = server
  return store.transaction(async (tx) => {
    await createRun(tx, { stackId, repositoryId, kind, commitOid: 'c', desiredDigest: 'd', spec: {}, actor: 'system' })
    const claim = { workerId: 'worker-1', pools: ['default'], leaseMs: 60_000, now: store.clock.now() }
    const run = await claimRun(tx, { ...claim, request: `${Math.random()}` })
    if (run === null) throw new Error('no run was ready')
    return run
  })
}

const endRun = (run: Run): Promise<unknown> =>
  server.store.transaction((tx) =>
    transitionRun(tx, { runId: run.id, fence: run.fence, to: 'failed', reason: 'test', actor: 'system' }),
  )

async function request(
  method: string,
  basic: [string, string] | null,
  body?: object,
  query = '',
  headers: { [name: string]: string } = {},
): Promise<{ status: number; body: string }> {
  const response = await fetch(`${server.url}/api/v1/state/${stackId}/default${query}`, {
    method,
    headers: {
      ...(basic && { authorization: `Basic ${Buffer.from(basic.join(':')).toString('base64')}` }),
      ...headers,
    },
    ...(body && { body: JSON.stringify(body) }),
  })
  return { status: response.status, body: await response.text() }
}
