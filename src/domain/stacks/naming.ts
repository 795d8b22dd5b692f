import { didYouMean } from '../suggest.ts'
import { globProblem, isGlob } from '../glob.ts'
import { ENVIRONMENT, type Match } from './directories.ts'

/** Name of a stack whose path leaves nothing to name it by: `.` and `{environment}`. */
export const ROOT_NAME = 'root'

const STACK_NAME = /^[A-Za-z0-9][A-Za-z0-9._/-]{0,199}$/

/**
 * The name of a stack. Without a `name:` it is the path without the segment (or part of one) that stands for the
 * environment, so that one stack has one name in all its environments: `apps/shop/overlays/{environment}` is
 * `apps/shop/overlays`, `{environment}/network` is `network`, `infra-{environment}` is `infra`. A `name:` may hold
 * `{path}` (that default), `{dir}` (its last segment) and `{1}`…`{9}` (what the first… segment with a wildcard matched).
 */
export function stackNameOf(template: string | undefined, { nameSegments, captures }: Match): string {
  const path = nameSegments.join('/') || ROOT_NAME
  if (template === undefined) return path
  return template.replaceAll(/\{(path|dir|[1-9])\}/g, (_all, which: string) => {
    if (which === 'path') return path
    return which === 'dir' ? (nameSegments.at(-1) ?? ROOT_NAME) : (captures[Number(which) - 1] ?? '')
  })
}

/** What is wrong with a finished name, or null. */
export function nameProblem(name: string): string | null {
  if (STACK_NAME.test(name)) return null
  return `${JSON.stringify(name.slice(0, 200))} cannot be a stack's name (letters, digits, dot, dash, underscore and slash, at most 200)`
}

/** What is wrong with a `name:` beside its path, or null. */
export function templateProblem(template: string, path: string): string | null {
  const wildcards = path
    .split('/')
    .filter((segment) => segment !== '**' && isGlob(segment.replaceAll(ENVIRONMENT, 'x')))
  for (const [, index] of template.matchAll(/\{([1-9])\}/g))
    if (Number(index) > wildcards.length)
      return `{${index}} stands for nothing: the path has ${wildcards.length} segments with a wildcard`
  if (isGlob(path) && !template.includes('{'))
    return 'the path can match several directories, so the name needs {path}, {dir} or {1}…{9}'
  return null
}

/** Paths that lead out of the repository, in words; null for those that stay inside. */
export function outsideProblem(path: string): string | null {
  const shown = JSON.stringify(path.slice(0, 200))
  if (path.includes('\0')) return `${shown} holds a NUL character`
  if (path.includes('\\')) return `${shown} holds a backslash; separate directories with a slash`
  if (path.startsWith('/') || /^[A-Za-z]:/.test(path))
    return `${shown} is absolute; paths begin at the root of the repository`
  const segments = path.split(/[/{},]/)
  if (segments.includes('..')) return `${shown} holds ".."`
  return segments.some((segment) => segment.toLowerCase() === '.git') ? `${shown} lies inside of .git` : null
}

/** What is wrong with the wildcards and placeholders of a path, or null. */
export function patternProblem(path: string): string | null {
  for (const [, word = ''] of path.matchAll(/\{([^{},/]*)\}/g))
    if (word !== 'environment')
      return `{${word}} is not a placeholder${didYouMean(word, ['environment']) || '; the only one is {environment}'}`
  if (/\{[^}]*\//.test(path)) return 'a slash stands inside of braces; write one entry for each'
  return globProblem(path)
}

/** Without `./`, doubled and trailing slashes. */
export function normalisePath(path: string): string {
  return (
    path
      .split('/')
      .filter((segment) => segment !== '' && segment !== '.')
      .join('/') || '.'
  )
}
