import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it, vi } from 'vitest'
import { nextRun } from '../../../test/terraform-provider/stack.ts'
import { useStacks } from '../../../test/terraform-provider/use-stacks.ts'
import { describeWithNewTool } from '../../../test/tools.ts'
import { terraformDriver } from '../../drivers/terraform/index.ts'
import { stateDifferences } from '../../engine/state-backend/diff.ts'
import { objectsOfState } from '../../engine/state-backend/objects.ts'
import { alice, useStateServer } from '../testing/state-server.ts'

const { states, key, backend, leaseRun } = useStateServer()
const { openHostStack, openStack } = useStacks()

/** https://opentofu.org/docs/language/state/encryption/; the passphrase comes from the environment, as it should. */
const code = (input: string): string => `
  terraform {
    encryption {
      method "aes_gcm" "stack" { keys = key_provider.pbkdf2.stack }
      state {
        method   = method.aes_gcm.stack
        enforced = true
      }
      plan { method = method.aes_gcm.stack }
    }
  }
  variable "password" { sensitive = true }
  resource "terraform_data" "a" { input = { shown = "${input}", hidden = var.password } }
  output "shown" { value = terraform_data.a.output.shown }
`
// The fewest rounds that it takes: deriving the key is not what is tested.
const ENCRYPTION = `
  key_provider "pbkdf2" "stack" {
    passphrase = "correct-horse-battery"
    iterations = 200000
  }
`

describeWithNewTool('tofu', '1.7.0', 'states that OpenTofu encrypts', (tool) => {
  it('are kept, planned against, restored, and named as what nobody here can look into', async () => {
    const run = await leaseRun('deploy')
    const context = await openStack(
      tool,
      { 'stack/main.tf': code('one') },
      {
        stateBackend: backend(run),
        phase: 'apply',
        env: { TF_ENCRYPTION: ENCRYPTION },
        inputs: { password: { value: 's3cr3t-input', sensitive: true } },
      },
    )
    const deploy = async () => {
      const its = await nextRun(context)
      const planned = await terraformDriver.plan(its)
      return { planned, result: await terraformDriver.apply(its, planned) }
    }
    const first = await deploy()
    expect(first.result).toMatchObject({ status: 'applied', outputs: { shown: { value: 'one' } }, findings: [] })
    expect((await terraformDriver.plan(await nextRun(context))).changes).toEqual([])
    await context.write({ 'stack/main.tf': code('two') })
    expect((await deploy()).result.status).toBe('applied')
    const { items } = await states.versions(key())
    const [newest, oldest] = [items[0]!, items.at(-1)!]
    expect(newest.serial).toBeGreaterThan(oldest.serial)

    const stored = await states.read(key())
    const earlier = await states.read(key(), oldest.version)
    expect(stored!.body.toString()).not.toMatch(/s3cr3t|terraform_data/)
    expect(() => objectsOfState(stored!.body)).toThrow(/OpenTofu has encrypted it/)
    expect(() => stateDifferences(earlier!.body, stored!.body)).toThrow(/OpenTofu has encrypted it/)

    // Inside stands the serial of then: with another one outside, OpenTofu would refuse what was restored.
    const restored = await states.restore(alice, key(), oldest.version)
    expect(restored).toEqual({ version: newest.version + 1, serial: oldest.serial })
    const again = await deploy()
    expect(again.planned.changes.map(({ address, actions }) => [address, actions])).toEqual([
      ['terraform_data.a', ['update']],
      ['output.shown', ['update']],
    ])
    expect(again.result).toMatchObject({ status: 'applied', outputs: { shown: { value: 'two' } } })
    const said = JSON.stringify([first, again, context.lines])
    expect(said).not.toMatch(/s3cr3t-input|correct-horse/)
  })

  it('are stored at the second attempt, which the tool itself cannot make', async () => {
    const run = await leaseRun('deploy')
    const slow = 'resource "hostfile_file" "slow" {\n path = "/slow"\n content = "1"\n delay_ms = 1500\n}\n'
    const { context, target } = await openHostStack(tool, code('one') + slow, {
      stateBackend: backend(run),
      phase: 'apply',
      env: { TF_ENCRYPTION: ENCRYPTION },
      inputs: { password: { value: 's3cr3t-input', sensitive: true } },
    })
    const applying = terraformDriver.apply(context, await terraformDriver.plan(context))
    await vi.waitFor(() => readFile(join(target, 'slow')), { timeout: 180_000, interval: 20 })
    // Somebody opens the lock under the apply: what it stores then is refused, and it leaves the state beside the code.
    await states.unlock(alice, key(), null)
    const result = await applying
    expect(result.findings.map(({ code: finding }) => finding)).toContain('state_rescued')
    expect((await states.read(key()))!.body.toString()).toContain('encrypted_data')
    expect(await states.lockHolder(key())).toBeNull()
    expect((await terraformDriver.plan(await nextRun(context))).changes).toEqual([])
  })
})
