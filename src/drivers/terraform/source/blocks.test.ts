import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import semver from 'semver'
import { expect, it } from 'vitest'
import { nextRun } from '../../../../test/terraform-provider/stack.ts'
import { useStacks } from '../../../../test/terraform-provider/use-stacks.ts'
import { describeWithTool } from '../../../../test/tools.ts'
import { terraformDriver } from '../index.ts'

const { openHostStack } = useStacks()

const file = (name: string, path = name): string => `
  resource "hostfile_file" "${name}" {
    path    = "/${path}"
    content = "${path}\\n"
  }
`

for (const name of ['terraform', 'tofu'] as const) {
  describeWithTool(name, 'blocks that change only the state', (tool) => {
    it('shows imports and moves, into modules too, and applies both in one go', async () => {
      const { context, target, code } = await openHostStack(tool, file('old') + file('stays'))
      await terraformDriver.apply(context, await terraformDriver.plan(context))
      await writeFile(join(target, 'found'), 'found\n')
      await context.write({
        'modules/motd/main.tf': `terraform {
          required_providers {
            hostfile = { source = "example.test/trueup-test/hostfile" }
          }
        }${file('this', 'old')}`,
      })
      await code(`${file('stays')}${file('found')}
        module "motd" {
          source = "../modules/motd"
        }
        moved {
          from = hostfile_file.old
          to   = module.motd.hostfile_file.this
        }
        import {
          to = hostfile_file.found
          id = "/found"
        }
      `)
      const its = await nextRun(context)
      const plan = await terraformDriver.plan(its)
      expect(plan.changes).toMatchObject([
        { address: 'hostfile_file.found', actions: ['import'], reason: 'imports /found', attributes: [] },
        {
          address: 'module.motd.hostfile_file.this',
          actions: ['update'],
          previousAddress: 'hostfile_file.old',
          attributes: [],
        },
      ])
      const result = await terraformDriver.apply(its, plan)
      expect(result.resources.map(({ status }) => status)).toEqual(['done', 'done'])
      expect((await terraformDriver.plan(await nextRun(context))).changes).toEqual([])
      expect((await readdir(target)).toSorted()).toEqual(['found', 'old', 'stays'])
    })

    // https://developer.hashicorp.com/terraform/language/block/removed, https://opentofu.org/docs/language/resources/syntax/#removing-resources
    const hasRemoved = semver.gte(tool.version, '1.7.0')
    const title = hasRemoved ? '' : ` (skipped: ${name} ${tool.version} has no \`removed\` blocks, 1.7 brought them)`
    it.skipIf(!hasRemoved)(`forgets by a removed block what stays in the world${title}`, async () => {
      const { context, target, code } = await openHostStack(tool, file('kept') + file('other'))
      await terraformDriver.apply(context, await terraformDriver.plan(context))
      await code(`${file('other')}
        removed {
          from = hostfile_file.kept
          lifecycle {
            destroy = false
          }
        }
      `)
      const its = await nextRun(context)
      const plan = await terraformDriver.plan(its)
      expect(plan.changes).toMatchObject([{ address: 'hostfile_file.kept', actions: ['forget'] }])
      const result = await terraformDriver.apply(its, plan)
      expect(result).toMatchObject({ status: 'applied', resources: [{ status: 'done' }] })
      expect(await readdir(target)).toContain('kept')
      expect((await terraformDriver.plan(await nextRun(context))).changes).toEqual([])
    })
  })
}
