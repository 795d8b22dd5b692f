import { cp, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { nextRun, type TerraformContext } from '../../../../test/terraform-provider/stack.ts'
import { useStacks } from '../../../../test/terraform-provider/use-stacks.ts'
import { describeWithTool } from '../../../../test/tools.ts'
import { terraformDriver } from '../index.ts'

const { openHostStack, openStack } = useStacks()

const FROM_CACHE = 'init: nothing changed since the last run, using its providers and modules'

/** A preview beside others, which takes no lock: as on a worker, it has a workspace of its own, where its override files are. */
async function runBeside(context: TerraformContext, number: number): Promise<TerraformContext> {
  const workspace = join(context.root, `workspace-${number}`)
  await cp(context.workspace, workspace, { recursive: true })
  return nextRun(context, { phase: 'plan', workspace, directory: join(workspace, context.stack.path) })
}

const usedCache = (context: TerraformContext): boolean => context.lines.includes(FROM_CACHE)

for (const name of ['terraform', 'tofu'] as const) {
  describeWithTool(name, 'reuse of init', (tool) => {
    it('runs init once for equal code, and again for another module or backend', async () => {
      const module = 'variable "v" {}\nresource "terraform_data" "m" { input = var.v }\n'
      const call = (source: string) => `module "m" {\n source = "${source}"\n v = 1\n}\n`
      const context = await openStack(tool, {
        'stack/main.tf': call('../one'),
        'one/main.tf': module,
        'two/main.tf': module,
      })
      await terraformDriver.plan(context)
      expect(usedCache(context)).toBe(false)
      const second = await nextRun(context)
      expect((await terraformDriver.plan(second)).changes).toMatchObject([{ address: 'module.m.terraform_data.m' }])
      expect(usedCache(second)).toBe(true)

      await context.write({ 'stack/main.tf': call('../two') })
      const third = await nextRun(context)
      await terraformDriver.plan(third)
      expect(usedCache(third)).toBe(false)

      await context.write({ 'stack/main.tf': `terraform {\n backend "local" {}\n}\n${call('../two')}` })
      const fourth = await nextRun(context)
      await terraformDriver.plan(fourth)
      expect(usedCache(fourth)).toBe(false)
    })

    it('reuses providers where the lock file is committed, also for several runs at once', async () => {
      const { context } = await openHostStack(tool, 'resource "hostfile_file" "a" {\n path = "/a"\n content = "1"\n}\n')
      await terraformDriver.plan(context)
      // The first run made the lock file; from now on it counts as committed.
      expect(await readFile(join(context.directory, '.terraform.lock.hcl'), 'utf8')).toContain('trueup-test/hostfile')
      await terraformDriver.plan(await nextRun(context))

      const runs = await Promise.all([1, 2, 3].map((number) => runBeside(context, number)))
      const plans = await Promise.all(runs.map((run) => terraformDriver.plan(run)))
      expect(runs.map(usedCache)).toEqual([true, true, true])
      for (const plan of plans)
        expect(plan.changes).toMatchObject([{ address: 'hostfile_file.a', actions: ['create'] }])
    })

    it('plans as ever when the cache is damaged or gone', async () => {
      const context = await openStack(tool, { 'stack/main.tf': 'resource "terraform_data" "a" { input = 1 }' })
      await terraformDriver.plan(context)
      await rm(join(context.cache, 'init'), { recursive: true })
      expect((await terraformDriver.plan(await nextRun(context))).changes).toHaveLength(1)
    })

    it('explains a provider that cannot be had', async () => {
      const context = await openStack(tool, {
        'stack/main.tf': `terraform {
          required_providers {
            nope = { source = "registry.invalid/none/nope" }
          }
        }
        provider "nope" {}
        `,
      })
      await expect(terraformDriver.validate(context)).rejects.toMatchObject({
        code: 'TOOL_FAILED',
        text: { next: expect.stringContaining('mirror') },
      })
    })
  })
}
