import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { parse } from 'yaml'
import { nextRun, openStack } from '../../../test/terraform-provider/stack.ts'
import { describeWithTool } from '../../../test/tools.ts'
import { TrueupConfig } from '../../domain/config/schema.ts'
import { terraformDriver } from './index.ts'

const example = join(import.meta.dirname, '../../../examples/terraform')

async function exampleFiles(): Promise<{ [path: string]: string }> {
  const entries = await readdir(example, { recursive: true, withFileTypes: true })
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(example.length + 1))
  return Object.fromEntries(
    await Promise.all(paths.map(async (path) => [path, await readFile(join(example, path), 'utf8')])),
  )
}

for (const name of ['terraform', 'tofu'] as const) {
  describeWithTool(name, 'the example', (tool) => {
    it('is detected, valid, and goes all the way', async () => {
      const files = await exampleFiles()
      const [stack] = TrueupConfig.parse(parse(files['trueup.yaml'] ?? '')).stacks
      const context = await openStack(tool, files, {
        path: stack?.path,
        toolVersion: stack?.toolVersion,
        with: stack?.with,
      })
      try {
        expect((await terraformDriver.detect(Object.keys(files), context.read)).stacks).toMatchObject([
          { path: 'network' },
        ])
        expect(await terraformDriver.dependencies(context.read, context.list, 'network', context.config)).toEqual([
          'modules/subnet',
        ])
        expect(await terraformDriver.validate(context)).toEqual([])
        const plan = await terraformDriver.plan(context)
        expect(plan.findings).toEqual([])
        const result = await terraformDriver.apply(context, plan)
        expect(result.status).toBe('applied')
        expect(result.outputs.subnets?.value).toEqual({ back: '10.0.2.0/24', front: '10.0.1.0/24' })
        expect((await terraformDriver.plan(await nextRun(context))).changes).toEqual([])
      } finally {
        await context.remove()
      }
    })
  })
}
