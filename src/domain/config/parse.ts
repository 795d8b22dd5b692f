import { type LineOf, readYaml } from './document.ts'
import { LIMITS } from './limits.ts'
import { configError, type Problem } from './problems.ts'
import { referenceProblems } from './references.ts'
import { TrueupConfig } from './schema.ts'
import { shapeProblems } from './shape.ts'

export type { LineOf } from './document.ts'

export interface ParsedConfig {
  config: TrueupConfig
  /** For messages about the configuration later on. */
  lineOf: LineOf
}

/**
 * Reads a `trueup.yaml`. `where` names the file in messages. Throws
 *
 * - CONFIG_SYNTAX: not UTF-8, not YAML (with line and column), more than one document, tags;
 * - CONFIG_LIMIT: larger, deeper or with more aliases or stacks than `limits.ts` allows;
 * - CONFIG_INVALID: anything that the format does not know. All problems are found at once: the message says the first
 *   with its line and how many more, `details.problems` has them as `{line, path, message}`.
 */
export function parseConfig(source: string | Buffer, where = 'trueup.yaml'): TrueupConfig {
  return parseConfigWithLines(source, where).config
}

/** `parseConfig` that also says where in the file each key stands. */
export function parseConfigWithLines(source: string | Buffer, where = 'trueup.yaml'): ParsedConfig {
  const doing = `reading ${where}`
  const { value, lineOf, problems } = readYaml(source, doing)
  const invalid = (all: readonly Problem[]) => configError('CONFIG_INVALID', doing, all)

  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalid([{ line: 1, path: '', message: 'must be a mapping with the keys version, environments and stacks' }])
  const { version, stacks } = value as { version?: unknown; stacks?: unknown }
  // A newer format may differ in every other key: complaints about those would only mislead.
  if (typeof version === 'number' && Number.isInteger(version) && version > 1)
    throw invalid([{ line: lineOf(['version']), path: 'version', message: newerVersion(version) }])
  if (Array.isArray(stacks) && stacks.length > LIMITS.stacks) {
    const message = `there are ${stacks.length} entries, more than ${LIMITS.stacks}; a glob can stand for many`
    throw configError('CONFIG_LIMIT', doing, [{ line: lineOf(['stacks']), path: 'stacks', message }])
  }

  const parsed = TrueupConfig.safeParse(value)
  const all = parsed.success
    ? referenceProblems(parsed.data, lineOf)
    : shapeProblems(TrueupConfig, value, parsed.error.issues, lineOf)
  if (!parsed.success || problems.length + all.length > 0) throw invalid([...problems, ...all])
  return { config: parsed.data, lineOf }
}

const newerVersion = (version: number) =>
  `the file is of version ${version}, which only a newer Trueup reads; this one reads version 1`
