import { mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { z } from 'zod'
import { TerraformConfig } from '../../src/drivers/terraform/config.ts'
import { type TestContext, testContext, type TestContextOptions } from '../../src/drivers/testing/context.ts'
import type { FoundTool } from '../tools.ts'
import { makeMirror, providerEnvironment, useProvider } from './mirror.ts'

export type TerraformContext = TestContext<TerraformConfig>

export interface StackOptions extends Partial<Omit<TestContextOptions<TerraformConfig>, 'config'>> {
  /** The stack's `with:` block beside `tool`. */
  with?: Omit<z.input<typeof TerraformConfig>, 'tool'>
}

/** A context for a Terraform stack at `stack/`, planned by this very tool. */
export async function openStack(
  tool: FoundTool,
  files: TestContextOptions<TerraformConfig>['files'],
  options: StackOptions = {},
): Promise<TerraformContext> {
  const { with: settings, env, ...rest } = options
  const name = tool.path.endsWith('tofu') ? 'tofu' : 'terraform'
  return testContext({
    config: TerraformConfig.parse({ tool: name, ...settings }),
    files,
    env: (root) => ({
      PATH: `${dirname(tool.path)}:/usr/bin:/bin`,
      ...(typeof env === 'function' ? env(root) : env),
    }),
    ...rest,
  })
}

/** The same with the test provider at hand; `target` is the directory below which its files are made. */
export async function openHostStack(
  tool: FoundTool,
  resources: string,
  options: StackOptions = {},
): Promise<{ context: TerraformContext; target: string; code: (resources: string) => Promise<void> }> {
  const { env: more } = options
  const env = (root: string) => ({
    ...providerEnvironment(join(root, 'mirror')),
    ...(typeof more === 'function' ? more(root) : more),
  })
  const context = await openStack(tool, {}, { ...options, env })
  const target = join(context.root, 'target')
  await mkdir(target)
  await makeMirror(join(context.root, 'mirror'))
  const code = (text: string): Promise<void> => context.write({ 'stack/main.tf': useProvider(target) + text })
  await code(resources)
  return { context, target, code }
}

/** The same worker and stack in a later run. */
export async function nextRun(
  context: TerraformContext,
  changes: Partial<TerraformContext> = {},
): Promise<TerraformContext> {
  return context.next({ env: context.env, ...changes } as never)
}
