import { lstat, mkdir, readdir, readFile, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { z } from 'zod'
import type { ApplyResult, DriverPlan } from '../../../domain/plans/plan.ts'
import { testContext, type TestContext, type TestContextOptions } from '../../testing/context.ts'
import { FilesConfig } from '../config.ts'
import { filesDriver } from '../index.ts'

export interface FilesTest extends TestContext<FilesConfig> {
  /** The target directory. */
  target: string
}

type Options = Omit<TestContextOptions<FilesConfig>, 'config'> & {
  config?: Partial<z.input<typeof FilesConfig>>
  /** Leave the target to be made by the driver. */
  missingTarget?: boolean
}

/** A context of a `files` stack whose target is a real directory beside the workspace. */
export async function filesTest(options: Options): Promise<FilesTest> {
  const config = (root: string): FilesConfig => FilesConfig.parse({ target: join(root, 'host'), ...options.config })
  const context = await testContext<FilesConfig>({ ...options, config })
  const target = join(context.root, 'host')
  if (!options.missingTarget) await mkdir(target)
  return Object.assign(context, { target })
}

/** Plans, applies, and returns both. */
export async function deploy(context: TestContext<FilesConfig>): Promise<{ plan: DriverPlan; result: ApplyResult }> {
  const plan = await filesDriver.plan(context)
  return { plan, result: await filesDriver.apply(context, plan) }
}

/** `create /nginx.conf`-like lines, paths below the target. */
export function lines(plan: DriverPlan, target: string): string[] {
  return plan.changes.map(({ actions, address, attributes }) => {
    const below = address.startsWith(target) ? address.slice(target.length) || '/' : address
    return `${actions.join('+')} ${below} ${attributes.map(({ path }) => path).join(',')}`.trim()
  })
}

/** Every entry below a directory as text: path → `644 content`, `dir`, `-> target`. Trueup's own files are left out. */
export async function tree(root: string): Promise<{ [path: string]: string }> {
  const found: { [path: string]: string } = {}
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    if (entry.name.startsWith('.trueup-')) continue
    const absolute = join(entry.parentPath, entry.name)
    const path = absolute.slice(root.length + 1)
    const mode = ((await lstat(absolute)).mode & 0o7777).toString(8)
    if (entry.isDirectory()) found[path] = 'dir'
    else if (entry.isSymbolicLink()) found[path] = `-> ${await readlink(absolute)}`
    else if (entry.isFile()) found[path] = `${mode} ${await readFile(absolute, 'utf8')}`
    else found[path] = 'special'
  }
  return found
}

/** Names of temporary files of Trueup anywhere below. */
export async function leftovers(root: string): Promise<string[]> {
  return (await readdir(root, { recursive: true })).filter((path) => path.endsWith('.tmp') && path.includes('.trueup-'))
}
