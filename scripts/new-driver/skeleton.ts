/** The files of a new driver, by their path from the root of the project. */
export function skeleton(name: string): Map<string, string> {
  const { camel, pascal, title } = wordsOf(name)
  const at = (path: string): string => `src/drivers/${name}/${path}`
  return new Map([
    [
      at('index.ts'),
      `import { type Driver, NO_CAPABILITIES } from '../driver.ts'
import { apply } from './apply/apply.ts'
import { ${pascal}Config } from './config.ts'
import { dependencies } from './dependencies.ts'
import { detect } from './detect.ts'
import { plan } from './plan/plan.ts'
import { versions } from './tool/tool.ts'
import { validate } from './validate.ts'

/** ${title}: nothing is promised yet (\`capabilities\`), and nothing is planned or applied. */
export const ${camel}Driver: Driver<${pascal}Config> = {
  name: '${name}',
  capabilities: NO_CAPABILITIES,
  config: ${pascal}Config,
  detect,
  dependencies,
  versions,
  validate,
  plan,
  apply,
}
`,
    ],
    [
      at('config.ts'),
      `import { z } from 'zod'

/** What stands below \`with:\` of a stack of this driver. */
export const ${pascal}Config = z.strictObject({})
export type ${pascal}Config = z.infer<typeof ${pascal}Config>
`,
    ],
    [
      at('detect.ts'),
      `import type { Detected } from '../proposal.ts'

/** Directories that look like stacks of this driver, from all file paths of a repository; none so far. */
export async function detect(_files: readonly string[]): Promise<Detected> {
  return { stacks: [], leftOut: [] }
}
`,
    ],
    [
      at('dependencies.ts'),
      `/** Paths outside the stack's own directory that it is built from; none so far. */
export async function dependencies(): Promise<string[]> {
  return []
}
`,
    ],
    [
      at('validate.ts'),
      `import type { Finding } from '../../domain/plans/plan.ts'
import type { DriverContext } from '../driver.ts'
import type { ${pascal}Config } from './config.ts'
import { readSource } from './source/source.ts'

/** What is wrong with the source, found without credentials and without the target. */
export async function validate(context: DriverContext<${pascal}Config>): Promise<Finding[]> {
  await readSource(context)
  return []
}
`,
    ],
    [
      at('source/source.ts'),
      `import { readdir } from 'node:fs/promises'
import type { DriverContext } from '../../driver.ts'
import type { ${pascal}Config } from '../config.ts'

/** What Git says: the files of the stack, relative to its directory, sorted. */
export async function readSource({ directory }: DriverContext<${pascal}Config>): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true })
  return entries.toSorted()
}
`,
    ],
    [
      at('plan/plan.ts'),
      `import type { DriverPlan } from '../../../domain/plans/plan.ts'
import type { DriverContext } from '../../driver.ts'
import type { ${pascal}Config } from '../config.ts'
import { readSource } from '../source/source.ts'
import { versions } from '../tool/tool.ts'

/** Says what apply would do. Nobody looks at the target yet, and the plan says so. */
export async function plan(context: DriverContext<${pascal}Config>): Promise<DriverPlan> {
  const toolVersions = await versions(context)
  await readSource(context)
  const unchecked = [{ address: '*', why: 'this driver does not look at anything yet' }]
  return { changes: [], coverage: { checked: 0, unchecked }, outputs: {}, findings: [], toolVersions }
}
`,
    ],
    [
      at('apply/apply.ts'),
      `import type { ApplyResult, DriverPlan } from '../../../domain/plans/plan.ts'
import type { DriverContext } from '../../driver.ts'
import type { ${pascal}Config } from '../config.ts'

/** Does exactly what the plan said: so far plans are empty. */
export async function apply(_context: DriverContext<${pascal}Config>, _plan: DriverPlan): Promise<ApplyResult> {
  return { status: 'applied', resources: [], outputs: {}, findings: [] }
}
`,
    ],
    [
      at('tool/tool.ts'),
      `import type { DriverContext } from '../../driver.ts'
import { findTool } from '../../tools/find-tool.ts'
import type { ${pascal}Config } from '../config.ts'

/** The program on the worker's PATH. TOOL_MISSING, TOOL_VERSION. */
export async function versions(context: DriverContext<${pascal}Config>): Promise<{ [tool: string]: string }> {
  const tool = await findTool(context, { names: ['${name}'], install: '${title}', versionArguments: ['--version'] })
  return { [tool.name]: tool.version }
}
`,
    ],
    [
      at('README.md'),
      `# The driver ${name}

What the tool really does, with its sources, and what follows from it here.
`,
    ],
    [
      `test/conformance/subjects/${name}.ts`,
      `import { testContext } from '../../../src/drivers/testing/context.ts'
import { PROPERTIES, type PropertyName } from '../properties.ts'
import type { Subject, World } from '../subject.ts'

/** Take properties out of the exempt ones as the driver gets them, in the order of life.ts, with what the world needs. */
const HAS: readonly string[] = ['missing-tool']

export const ${camel}Subject: Subject = {
  driver: '${name}',
  against: 'nothing yet',
  missing: null,
  needs: '${name}',
  exempt: Object.fromEntries(
    (Object.keys(PROPERTIES) as PropertyName[])
      .filter((property) => !HAS.includes(property))
      .map((property) => [property, 'not written yet']),
  ),
  open,
}

async function open(): Promise<World> {
  const base = await testContext<unknown>({ config: {}, files: { 'stack/README': 'a stack\\n' } })
  const later = (): Promise<never> => Promise.reject(new Error('this world cannot do that yet'))
  return {
    context: (options) => base.next(options as object),
    read: later,
    edit: later,
    tamper: later,
    tamperIgnorable: later,
    secret: 'correct-horse-battery',
    breakSource: later,
    killTarget: later,
    breakApply: later,
    slowApply: later,
    addUncheckable: later,
    close: () => base.remove(),
  }
}
`,
    ],
    [
      `test/conformance/${name}.test.ts`,
      `import { ${camel}Subject } from './subjects/${name}.ts'
import { conformance } from './suite.ts'

conformance(${camel}Subject)
`,
    ],
    [
      `docs/drivers/${name}.md`,
      `# ${title}

The driver \`${name}\` is new: it finds its tool, and neither looks at anything nor changes anything yet.

| setting below \`with:\` | what it does |
|---|---|
| none yet | |
`,
    ],
  ])
}

/** Says the new driver to whatever keeps a list of them: the file's new text by its path. */
export function enlist(name: string, texts: { registry: string; documents: string }): typeof texts {
  const { camel } = wordsOf(name)
  const line = `import { ${camel}Driver } from './${name}/index.ts'\n`
  const entry = `  ['${name}', ${camel}Driver as unknown as Driver],\n`
  return {
    registry: insertSorted(
      insertSorted(texts.registry, line, /^import \{ \w+Driver \} from '\.\/([\w-]+)\/index\.ts'\n/gm, name),
      entry,
      /^ {2}\['([\w-]+)', .*\n/gm,
      name,
    ),
    documents: texts.documents.replace(/^(\| Drivers: .*?)( \|)/m, `$1, [${name}](drivers/${name}.md)$2`),
  }
}

/** Puts a line among those that the pattern finds, before the first whose name is greater. */
function insertSorted(text: string, line: string, pattern: RegExp, name: string): string {
  const lines = [...text.matchAll(pattern)]
  const next = lines.find(([, other]) => other! > name)
  const last = lines.at(-1)!
  const place = next?.index ?? last.index + last[0].length
  return text.slice(0, place) + line + text.slice(place)
}

/** `cloud-init` → cloudInit, CloudInit, Cloud-init. */
function wordsOf(name: string): { camel: string; pascal: string; title: string } {
  const camel = name.replaceAll(/-(.)/g, (_, letter: string) => letter.toUpperCase())
  return { camel, pascal: upper(camel), title: upper(name) }
}

const upper = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)
