import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Json, textsIn } from '../../../lib/json.ts'
import type { DriverContext } from '../../driver.ts'
import { insideWorkspace } from '../../paths/inside.ts'
import type { TerraformConfig } from '../config.ts'
import { type ModuleSource, parseFile } from '../source/blocks.ts'

/**
 * Texts in the values of root variables that are declared sensitive, from everywhere the tool takes them, before it runs:
 * a failing plan gives no plan file that would name them, and its messages may quote them. All of a variable's values
 * are listed, also those that another place overrides: they were the value once, or are it in another stack.
 */
export async function declaredSecrets(
  context: DriverContext<TerraformConfig>,
  { sensitiveVariables }: Pick<ModuleSource, 'sensitiveVariables'>,
): Promise<string[]> {
  if (sensitiveVariables.length === 0) return []
  const { config, env, inputs } = context
  const files = await Promise.all((await valueFiles(context)).map(valuesIn))
  const texts = sensitiveVariables.flatMap(({ name, default: standard }) => {
    const values = [standard, config.variables[name], inputs[name]?.value, ...files.map((file) => file[name])]
    const given = env[`TF_VAR_${name}`]
    return [...values, given, asJson(given)].flatMap((value) => (value === undefined ? [] : textsIn(value as Json)))
  })
  return [...new Set(texts)].filter((text) => text !== '')
}

/** Files that the tool reads by itself, and the stack's own. */
async function valueFiles(context: DriverContext<TerraformConfig>): Promise<string[]> {
  const names = await readdir(context.directory).catch(() => [])
  const own = names.filter((name) => /^terraform\.tfvars(\.json)?$|\.auto\.tfvars(\.json)?$/.test(name))
  const named = await Promise.all(context.config.varFiles.map((file) => insideWorkspace(context, file)))
  return [...own.map((name) => join(context.directory, name)), ...named]
}

/** What cannot be read or parsed is the tool's to complain of. */
async function valuesIn(path: string): Promise<{ [name: string]: unknown }> {
  const text = await readFile(path, 'utf8').catch(() => '')
  const parsed = await parseFile(path, text)
  return 'tree' in parsed ? parsed.tree : {}
}

/** A list or a map comes by the environment as an expression; JSON is one. */
function asJson(text: string | undefined): unknown {
  if (text === undefined || !/^\s*[[{]/.test(text)) return undefined
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
