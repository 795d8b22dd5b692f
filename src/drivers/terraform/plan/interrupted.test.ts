import { access, readFile, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it, vi } from 'vitest'
import { nextRun } from '../../../../test/terraform-provider/stack.ts'
import { useStacks } from '../../../../test/terraform-provider/use-stacks.ts'
import { describeWithTool } from '../../../../test/tools.ts'
import { terraformDriver } from '../index.ts'

const { openHostStack } = useStacks()

for (const name of ['terraform', 'tofu'] as const) {
  describeWithTool(name, 'an apply that does not get through', (tool) => {
    it('names what was done, what failed and what was not begun', async () => {
      const { context, target, code } = await openHostStack(
        tool,
        `
        resource "hostfile_file" "first" {
          path    = "/first"
          content = "1"
        }
        resource "hostfile_file" "broken" {
          path    = "/broken"
          content = hostfile_file.first.id
          fail    = "create"
          secret  = "correct-horse"
        }
        resource "hostfile_file" "last" {
          path    = "/last"
          content = hostfile_file.broken.id
        }
      `,
      )
      const result = await terraformDriver.apply(context, await terraformDriver.plan(context))
      expect(result.status).toBe('failed')
      const byAddress = Object.fromEntries(result.resources.map((resource) => [resource.address, resource]))
      expect(byAddress['hostfile_file.first']).toMatchObject({ status: 'done' })
      expect(byAddress['hostfile_file.broken']).toMatchObject({
        status: 'failed',
        message: expect.stringContaining('told to fail on create'),
      })
      expect(byAddress['hostfile_file.last']).toMatchObject({ status: 'skipped' })
      // The provider's message quotes the secret that it was given.
      expect(byAddress['hostfile_file.broken']?.message).toContain('secret ***')
      expect(JSON.stringify(result) + context.lines.join()).not.toContain('correct-horse')
      expect(await readFile(join(target, 'first'), 'utf8')).toBe('1')

      // What was made is in the state: the repaired code makes only the rest.
      await code(`
        resource "hostfile_file" "first" {
          path    = "/first"
          content = "1"
        }
      `)
      expect((await terraformDriver.plan(await nextRun(context))).changes).toEqual([])
    })

    it('stops on cancel, and has saved what was done until then', async () => {
      const { context, target } = await openHostStack(
        tool,
        `
        resource "hostfile_file" "slow" {
          path     = "/slow"
          content  = "1"
          delay_ms = 60000
        }
        resource "hostfile_file" "after" {
          path    = "/after"
          content = hostfile_file.slow.id
        }
      `,
      )
      const plan = await terraformDriver.plan(context)
      const applying = terraformDriver.apply(context, plan)
      await vi.waitFor(() => access(join(target, 'slow')), { timeout: 180_000, interval: 50 })
      context.cancel()
      const result = await applying
      expect(result.status).toBe('canceled')
      expect(result.resources).toMatchObject([
        { address: 'hostfile_file.after', status: 'skipped' },
        { address: 'hostfile_file.slow', status: 'done' },
      ])
      const later = await terraformDriver.plan(await nextRun(context))
      expect(later.changes.map(({ address }) => address)).toEqual(['hostfile_file.after'])
    })

    it('is CANCELED when it was canceled before it began', async () => {
      const { context } = await openHostStack(tool, '')
      context.cancel()
      // A program of its own path, whose version nobody has asked for yet.
      await symlink(tool.path, join(context.root, name))
      context.env.PATH = context.root
      await expect(terraformDriver.plan(context)).rejects.toMatchObject({ code: 'CANCELED' })
    })
  })
}
