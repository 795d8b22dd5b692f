import { compileGlob } from '../../../domain/glob.ts'
import type { FileRule, FilesConfig } from '../config.ts'

export type PathMatcher = (path: string) => boolean

/** What the configuration says about one path. Undefined: nothing, so it is neither compared nor changed. */
export interface Attributes {
  mode?: number
  owner?: string | number
  group?: string | number
  template?: boolean
  sensitive?: boolean
}

/** A matcher over paths below the target; dot files count, `conf.d/` means everything below it. */
export function matchAny(globs: readonly string[]): PathMatcher {
  if (globs.length === 0) return () => false
  const matchers = globs.map((glob) => compileGlob(normalise(glob), { hidden: true }))
  return (path) => matchers.some((matches) => matches(path))
}

/** Compiles the rules once. Later rules win, attribute by attribute. */
export function compileRules(config: FilesConfig): (path: string, directory: boolean) => Attributes {
  const base: Attributes = { owner: config.owner, group: config.group }
  const rules = config.rules.map((rule) => {
    const directory = rule.match.endsWith('/')
    const glob = rule.match.replace(/^\.\//, '').replace(/\/$/, '')
    return {
      directory,
      matches: glob === '' ? isTarget : compileGlob(glob, { hidden: true }),
      attributes: attributesOf(rule),
    }
  })
  if (rules.length === 0) return () => base
  return (path, directory) => {
    const found = { ...base }
    for (const rule of rules)
      if (rule.directory === directory && rule.matches(path)) Object.assign(found, rule.attributes)
    return found
  }
}

const isTarget = (path: string): boolean => path === ''

/** A glob of the settings as one over paths below the target: `./` is dropped, `conf.d/` is everything below it. */
export function normalise(glob: string): string {
  const rest = glob.replace(/^\.\//, '')
  return rest.endsWith('/') ? `${rest}**` : rest
}

function attributesOf({ mode, owner, group, template, sensitive }: FileRule): Attributes {
  const all = { mode: mode === undefined ? undefined : Number.parseInt(mode, 8), owner, group, template, sensitive }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined))
}
