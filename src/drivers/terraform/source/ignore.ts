import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import picomatch from 'picomatch'
import type { Finding, ResourceChange } from '../../../domain/plans/plan.ts'
import { matchesIgnore } from '../../../domain/plans/ignore.ts'
import type { IgnoreRule } from '../../../domain/plans/ignore-rule.ts'
import type { DriverContext } from '../../driver.ts'
import type { TerraformConfig } from '../config.ts'
import type { ModuleSource, ResourceBlock } from './blocks.ts'

const OVERRIDE_FILE = 'trueup_ignore_override.tf.json'

/**
 * Makes the stack's ignore rules part of what is written and not only of what is shown: an override file adds
 * `lifecycle { ignore_changes }` to the resources of the root module that they name. Where Terraform cannot express a rule
 * (one instance of several, a resource in a child module, a glob inside a path), `unwrittenIgnores` says so after the plan.
 */
export async function writeIgnoreRules(context: DriverContext<TerraformConfig>, source: ModuleSource): Promise<void> {
  const file = join(context.directory, OVERRIDE_FILE)
  const resources: { [type: string]: { [name: string]: unknown } } = {}
  for (const resource of source.resources) {
    const entries = ignoredEntries(resource, context.ignore)
    if (entries.length === 0 || resource.ignoreChanges.includes('all')) continue
    const ignore = entries.includes('all') ? 'all' : [...new Set([...resource.ignoreChanges, ...entries])]
    resources[resource.type] = {
      ...resources[resource.type],
      [resource.name]: { lifecycle: { ignore_changes: ignore } },
    }
  }
  if (Object.keys(resources).length === 0) await rm(file, { force: true })
  else await writeFile(file, JSON.stringify({ resource: resources }), { mode: 0o600 })
}

function ignoredEntries(resource: ResourceBlock, rules: readonly IgnoreRule[]): string[] {
  return rules
    .filter((rule) => namesWholeBlock(rule.address, `${resource.type}.${resource.name}`))
    .map((rule) => asTraversal(rule.attribute))
    .filter((entry) => entry !== null)
}

/** The block itself, or every instance of it: `ignore_changes` cannot tell instances apart. */
function namesWholeBlock(glob: string, block: string): boolean {
  const matches = picomatch(glob, { bash: true })
  return matches(block) || (/[*]/.test(glob) && matches(`${block}[0]`) && matches(`${block}["a"]`))
}

/**
 * An attribute path as Terraform wants it: a name below a plain attribute is a map key (`tags.Name` → `tags["Name"]`), below
 * an index it is the attribute of a block (`disk[0].size`). Null where only part of the pattern is literal.
 */
export function asTraversal(attribute: string): string | null {
  if (/^\*{1,2}$/.test(attribute)) return 'all'
  const literal = attribute.replace(/(\.\*{1,2}|\[\*\].*)$/, '')
  if (/[*?{}]/.test(literal)) return null
  const steps = [...literal.matchAll(/\[(\d+)\]|\["((?:[^"\\]|\\.)*)"\]|(?:^|\.)([^.[\]]+)/g)]
  if (steps.map(([text]) => text).join('') !== literal) return null
  let afterIndex = false
  return steps
    .map(([, index, quoted, name], position) => {
      const attributeOfBlock = name !== undefined && (position === 0 || afterIndex)
      afterIndex = index !== undefined
      if (index !== undefined) return `[${index}]`
      if (attributeOfBlock) return position === 0 ? name : `.${name}`
      return `[${JSON.stringify(quoted ?? name)}]`
    })
    .join('')
}

/** What the rules hide and the plan would write all the same: the person must know. */
export function unwrittenIgnores(changes: readonly ResourceChange[], rules: readonly IgnoreRule[]): Finding[] {
  if (rules.length === 0) return []
  return changes
    .filter(({ actions }) => actions.includes('update'))
    .flatMap(({ address, attributes }) =>
      attributes
        .filter(({ path }) => matchesIgnore(rules, address, path))
        .map(({ path }) => ({
          severity: 'warning' as const,
          code: 'ignore_not_written',
          message: `${address}: "${path}" is ignored in the plan but would be written; put it under lifecycle.ignore_changes in the code`,
        })),
    )
}
