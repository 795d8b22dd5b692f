import { chmodSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { describeWithTool } from '../../../test/tools.ts'
import { type SourceFile, type TestContext, testContext } from '../testing/context.ts'
import { CommandConfig } from './config.ts'
import { commandDriver as driver } from './index.ts'

const EXAMPLE = join(import.meta.dirname, '../../../examples/terragrunt')

/** The example's files as they stand in its repository. */
function exampleFiles(): { [path: string]: SourceFile } {
  const entries = readdirSync(EXAMPLE, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  return Object.fromEntries(
    entries.map((entry) => {
      const file = join(entry.parentPath, entry.name)
      return [file.slice(EXAMPLE.length + 1), { content: readFileSync(file), mode: statSync(file).mode & 0o777 }]
    }),
  )
}

for (const name of ['terraform', 'tofu'] as const) {
  // Terragrunt hands these commands on to the tool: in its place the tool shows that the scripts are right.
  describeWithTool(name, 'the Terragrunt example with the tool itself in the place of Terragrunt', (tool) => {
    test('plans by resource, applies exactly that, and has nothing to do after it', async () => {
      const [stack] = (
        parse(readFileSync(join(EXAMPLE, 'trueup.yaml'), 'utf8')) as { stacks: { path: string; with: object }[] }
      ).stacks
      const context: TestContext<CommandConfig> = await testContext({
        config: CommandConfig.parse(stack!.with),
        path: stack!.path,
        files: exampleFiles(),
        env: (root) => ({ PATH: `${join(root, 'bin')}:${process.env.PATH}`, TF_VAR_size: '3' }),
      })
      try {
        await context.write({ '../bin/terragrunt': { content: `#!/bin/sh\nexec '${tool.path}' "$@"\n`, mode: 0o755 } })
        chmodSync(join(context.root, 'bin/terragrunt'), 0o755)
        expect(await driver.versions(context)).toEqual({ command: tool.version })
        const plan = await driver.plan(context)
        expect(plan.changes).toEqual([
          {
            address: 'terraform_data.network',
            type: 'terraform_data',
            actions: ['create'],
            attributes: [],
            cause: 'config',
          },
        ])
        expect(plan.coverage.checked).toBe(1)
        expect(await driver.apply(context, plan)).toMatchObject({
          status: 'applied',
          outputs: { size: { value: '3', sensitive: false } },
        })
        expect((await driver.plan(await context.next<CommandConfig>())).changes).toEqual([])
      } finally {
        await context.remove()
      }
    })
  })
}
