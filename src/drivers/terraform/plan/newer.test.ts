import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { nextRun } from '../../../../test/terraform-provider/stack.ts'
import { useStacks } from '../../../../test/terraform-provider/use-stacks.ts'
import { describeWithNewTool } from '../../../../test/tools.ts'
import { terraformDriver } from '../index.ts'

const { openStack, openHostStack } = useStacks()

const SEALED = (version: number): string => `
ephemeral "hostfile_token" "vault" {}
resource "hostfile_sealed" "token" {
  path          = "/token"
  token         = ephemeral.hostfile_token.vault.value
  token_version = ${version}
}
`

for (const name of ['terraform', 'tofu'] as const) {
  describeWithNewTool(name, '1.11.0', 'what newer tools know', (tool) => {
    it('ephemeral values reach write-only attributes and nothing else', async () => {
      const { context, target, code } = await openHostStack(tool, SEALED(1))
      const deploy = async () => {
        const its = await nextRun(context)
        const planned = await terraformDriver.plan(its)
        return { its, planned, result: await terraformDriver.apply(its, planned) }
      }
      const token = () => readFile(join(target, 'token'), 'utf8')
      const first = await deploy()
      expect(first.planned.changes.map(({ address, actions }) => [address, actions])).toEqual([
        ['hostfile_sealed.token', ['create']],
      ])
      expect(first.result).toMatchObject({ status: 'applied', findings: [] })
      const written = await token()
      expect(written).toMatch(/^ephemeral-\d+$/)

      // Nobody can read it back: that is said, and is no difference.
      const again = await terraformDriver.plan(await nextRun(context))
      expect(again.changes).toEqual([])
      expect(again.coverage).toEqual({
        checked: 1,
        unchecked: [{ address: 'hostfile_sealed.token', why: expect.stringMatching(/^token is write-only/) }],
      })
      await code(SEALED(2))
      const second = await deploy()
      expect(second.planned.changes[0]?.attributes).toEqual([{ path: 'token_version', before: 1, after: 2 }])
      expect(await token()).not.toBe(written)
      const said = JSON.stringify([first, second].map(({ its, planned, result }) => [planned, result, its.lines]))
      expect(said).not.toMatch(/ephemeral-\d/)
    })

    it('functions of a provider are called', async () => {
      const { context } = await openHostStack(tool, 'output "loud" { value = provider::hostfile::shout("hello") }')
      expect(await terraformDriver.validate(context)).toEqual([])
      const result = await terraformDriver.apply(context, await terraformDriver.plan(context))
      expect(result.outputs).toEqual({ loud: { value: 'HELLO!', sensitive: false } })
    })
  })
}

describeWithNewTool('tofu', '1.11.0', 'the meta-argument enabled', (tool) => {
  it('takes away what it turns off, with the reason', async () => {
    const context = await openStack(tool, {
      'stack/main.tf': `
          variable "on" { default = true }
          resource "terraform_data" "a" {
            input = 1
            lifecycle { enabled = var.on }
          }
        `,
    })
    await terraformDriver.apply(context, await terraformDriver.plan(context))
    const off = await nextRun(context, { inputs: { on: { value: false, sensitive: false } } })
    const plan = await terraformDriver.plan(off)
    expect(plan.changes).toMatchObject([
      { address: 'terraform_data.a', actions: ['delete'], reason: expect.stringContaining('its `enabled` is false') },
    ])
    expect((await terraformDriver.apply(off, plan)).status).toBe('applied')
    const again = await nextRun(context, { inputs: { on: { value: false, sensitive: false } } })
    expect((await terraformDriver.plan(again)).changes).toEqual([])
  })
})
