import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it, vi } from 'vitest'
import { nextRun, type StackOptions, type TerraformContext } from '../../../test/terraform-provider/stack.ts'
import { useStacks } from '../../../test/terraform-provider/use-stacks.ts'
import { describeWithTool } from '../../../test/tools.ts'
import { RunRequest } from '../../domain/runs/run-request.ts'
import { terraformDriver } from '../../drivers/terraform/index.ts'
import { runProcess } from '../../lib/process/run.ts'
import { listAudit } from '../../store/audit/list.ts'
import { setMember } from '../../store/people/members.ts'
import type { Run } from '../../store/runs/runs.ts'
import { alice, useStateServer } from '../testing/state-server.ts'

const { server, states, ids, key, url, backend, leaseRun, endRun } = useStateServer()

const { openHostStack, openStack } = useStacks()

for (const name of ['terraform', 'tofu'] as const) {
  describeWithTool(name, 'the state backend under the real tool', (tool) => {
    const open = (files: { [path: string]: string }, run: Run, options: StackOptions = {}) =>
      openStack(tool, files, { stateBackend: backend(run), ...options })
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
      expect(await states.lockHolder(key())).toBeNull()
      expect((await states.versions(key())).items).toHaveLength(1)
      expect((await states.versions(key('blue'))).items).toHaveLength(0)
    })

    it('names a lock that someone else holds, and opens by force', async () => {
      const run = await leaseRun('deploy')
      const context = await open({ 'stack/main.tf': TWO }, run, { with: { lockTimeout: '1s' } })
      await states.lock(alice, key(), { ID: 'held-by-alice' })
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
          TF_HTTP_ADDRESS: url('default'),
          TF_HTTP_LOCK_ADDRESS: url('default'),
          TF_HTTP_UNLOCK_ADDRESS: url('default'),
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
      const plan = await terraformDriver.plan(context)
      const kill = new AbortController()
      const killable: TerraformContext = {
        ...context,
        run: (spec) => context.run({ ...spec, kill: kill.signal }),
      }
      const applying = terraformDriver.apply(killable, plan)
      await vi.waitFor(() => readFile(join(target, 'slow')), { timeout: 180_000, interval: 50 })
      kill.abort()
      const result = await applying
      expect(result.status).not.toBe('applied')
      expect(result.findings.map(({ code: finding }) => finding)).toContain('tool_killed')
      expect(await states.lockHolder(key())).toMatchObject({ runId: first.id })
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
      expect(await states.lockHolder(key())).toBeNull()
    })

    it('is edited by a run under its lock, as a new version, and lists its objects to deployers', async () => {
      const run = await leaseRun('heal')
      const context = await open({ 'stack/main.tf': TWO }, run)
      await terraformDriver.apply(context, await terraformDriver.plan(context))
      const request = RunRequest.parse({ state: { do: 'move', from: 'terraform_data.a', to: 'terraform_data.b[0]' } })
      const its = await nextRun(context, { request })
      const plan = await terraformDriver.plan(its)
      expect((await states.versions(key())).items).toHaveLength(1)
      const held = { ID: 'laptop' }
      await states.lock(alice, key(), held)
      const impatient = await nextRun(its, { request, config: { ...its.config, lockTimeout: '1s' } })
      await expect(terraformDriver.apply(impatient, plan)).rejects.toMatchObject({ code: 'STATE_LOCKED' })
      await states.unlock(alice, key(), held.ID)
      expect(await terraformDriver.apply(its, plan)).toMatchObject({ status: 'applied' })
      expect((await states.versions(key())).items).toHaveLength(2)
      expect(await states.lockHolder(key())).toBeNull()

      const [dora, bob] = [await server.person('dora'), await server.person('bob')]
      await setMember(server.store.db, { repositoryId: ids.repositoryId, userId: dora.id, role: 'deployer' })
      await setMember(server.store.db, { repositoryId: ids.repositoryId, userId: bob.id, role: 'maintainer' })
      const list = (token: string) =>
        fetch(`${server.url}/api/v1/repositories/infra/state/objects?stack=production/network`, {
          headers: { authorization: `Bearer ${token}` },
        })
      const provider = expect.stringMatching(/^terraform\.io\/builtin\/terraform$/)
      expect(await (await list(dora.token)).json()).toEqual({
        stack: 'production/network',
        workspace: 'default',
        version: 2,
        objects: [
          { address: 'terraform_data.b[0]', type: 'terraform_data', provider, note: null, needs: expect.any(Array) },
        ],
      })
      expect((await list(bob.token)).status).toBe(403)
      const { items } = await listAudit(server.store.db, { action: 'state.list' }, { limit: 10 })
      expect(items).toMatchObject([{ actor: `user:${dora.id}`, subject: ids.stackId }])
    })

    it('makes an earlier version current again, and the tool goes on from there', async () => {
      const run = await leaseRun('deploy')
      const context = await open({ 'stack/main.tf': TWO }, run)
      await terraformDriver.apply(context, await terraformDriver.plan(context))
      await context.write({ 'stack/main.tf': TWO.replace('one', 'two') })
      const later = await nextRun(context)
      await terraformDriver.apply(later, await terraformDriver.plan(later))
      expect((await terraformDriver.plan(await nextRun(context))).changes).toEqual([])

      const restored = await states.restore(alice, key(), 1)
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
      const plan = await terraformDriver.plan(context)
      const applying = terraformDriver.apply(context, plan)
      await vi.waitFor(() => readFile(join(target, 'slow')), { timeout: 180_000, interval: 20 })
      // The lease is taken away while the tool works: from here on its credentials are worth nothing.
      await endRun(run)
      const result = await applying
      expect(result.status).toBe('failed')
      const kept = result.findings.find(({ code }) => code === 'state_not_stored')
      const file = /\/\S+\.tfstate/.exec(kept?.message ?? '')?.[0] ?? ''
      expect(JSON.parse(await readFile(file, 'utf8')).resources).toHaveLength(1)
      await rm(file)
    })
  })
}
