import { readFile, writeFile } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import semver from 'semver'
import { expect, it } from 'vitest'
import { nextRun, type TerraformContext } from '../../../../test/terraform-provider/stack.ts'
import { useStacks } from '../../../../test/terraform-provider/use-stacks.ts'
import { describeWithTool } from '../../../../test/tools.ts'
import { deedsOf } from '../../../domain/origins/deeds.ts'
import type { DriverPlan } from '../../../domain/plans/plan.ts'
import { terraformDriver } from '../index.ts'
import { workspaceFiles } from '../source/workspace-files.ts'

const { openHostStack } = useStacks()

const file = (name: string): string =>
  `resource "hostfile_file" "${name}" {\n  path = "/${name}"\n  content = "there before"\n}\n`

for (const name of ['terraform', 'tofu'] as const) {
  describeWithTool(name, 'taking a change back', (tool) => {
    const hasRemoved = semver.gte(semver.coerce(tool.version)!, '1.7.0')

    const open = (code: string) => openHostStack(tool, code)
    const run = async (context: TerraformContext) => {
      const plan = await terraformDriver.plan(context)
      return { plan, result: await terraformDriver.apply(context, plan) }
    }
    /** The source has been put back; writes what takes the change back and plans. */
    async function undone(context: TerraformContext, change: DriverPlan) {
      const patches = await terraformDriver.undo!({
        ...workspaceFiles(context.workspace),
        path: 'stack',
        deeds: deedsOf(change, null),
        toolVersions: change.toolVersions,
        change: '0123456789abcdef',
      })
      for (const { path, content } of patches) await writeFile(join(context.workspace, path), content!)
      const next = await nextRun(context)
      return { patches, next, plan: await terraformDriver.plan(next) }
    }

    it('lets go of what was imported, and deletes what was made', async () => {
      const { context, target, code } = await open(file('base'))
      await run(context)
      await writeFile(join(target, 'web'), 'there before')
      const imported = `import {\n  to = hostfile_file.web\n  id = "/web"\n}\n`
      await code(file('base') + file('web') + file('made') + imported)
      const change = (await run(await nextRun(context))).plan
      expect(change.changes.find(({ address }) => address === 'hostfile_file.web')).toMatchObject({ importId: '/web' })
      await code(file('base'))
      const { patches, next, plan } = await undone(context, change)
      const actions = Object.fromEntries(plan.changes.map((one) => [one.address, one.actions]))
      if (!hasRemoved) {
        // What the tool cannot be told by a block waits for a person.
        expect(patches).toEqual([])
        expect(actions).toMatchObject({ 'hostfile_file.web': ['delete'] })
        return
      }
      expect(actions).toEqual({ 'hostfile_file.web': ['forget'], 'hostfile_file.made': ['delete'] })
      expect((await terraformDriver.apply(next, plan)).status).toBe('applied')
      expect(existsSync(join(target, 'made'))).toBe(false)
      expect(await readFile(join(target, 'web'), 'utf8')).toBe('there before')
      expect((await terraformDriver.plan(await nextRun(context))).changes).toEqual([])
    })

    it('moves back what was moved', async () => {
      const { context, target, code } = await open(file('web'))
      await run(context)
      const moved = `moved {\n  from = hostfile_file.web\n  to = hostfile_file.site\n}\n`
      await code(file('web').replace('"web"', '"site"') + moved)
      const change = (await run(await nextRun(context))).plan
      await code(file('web'))
      const { next, plan } = await undone(context, change)
      expect(plan.changes.map(({ address, actions, previousAddress }) => [address, actions, previousAddress])).toEqual([
        ['hostfile_file.web', ['update'], 'hostfile_file.site'],
      ])
      await terraformDriver.apply(next, plan)
      expect(existsSync(join(target, 'web'))).toBe(true)
    })

    it('imports again what was let go of', async () => {
      if (!hasRemoved) return expect(tool.version).toMatch(/^1\.[0-6]\./)
      const { context, code } = await open(file('base') + file('web'))
      await run(context)
      await code(`${file('base')}removed {\n  from = hostfile_file.web\n  lifecycle {\n    destroy = false\n  }\n}\n`)
      const change = (await run(await nextRun(context))).plan
      await code(file('base') + file('web'))
      const { plan } = await undone(context, change)
      expect(plan.changes.map(({ address, actions }) => [address, actions])).toEqual([
        ['hostfile_file.web', ['import']],
      ])
    })
  })
}
