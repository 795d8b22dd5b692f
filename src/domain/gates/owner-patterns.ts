import { RE2JS } from 're2js'
import { compileGlob, globProblem, isGlob } from '../glob.ts'
import type { OwnersDialect } from './owner-rules.ts'

/** Whether a pattern matches a path from the root of the repository. */
export type OwnerMatch = (path: string) => boolean

interface Patterns {
  problem(pattern: string): string | null
  compile(pattern: string): OwnerMatch
}

/**
 * Those of .gitignore: one without a slash (but for its end) matches in any directory, one that matches a directory matches
 * all below it; `docs/*` matches only what lies directly in it (GitHub's documentation of CODEOWNERS).
 */
const gitignore: Patterns = {
  problem(pattern) {
    if (pattern.startsWith('!')) return 'patterns that begin with "!" are not supported'
    return rangeProblem(pattern) ?? globProblem(`**/${pattern}/**`)
  },
  compile(pattern) {
    const directoryOnly = pattern.endsWith('/')
    const body = pattern.replace(/^\//, '').replace(/\/$/, '')
    const anchored = pattern.startsWith('/') || body.includes('/')
    if (pattern === '*' || body === '**' || body === '') return () => true
    const whole = anchored ? body : `**/${body}`
    const below = compileGlob(`${whole}/**`, { hidden: true })
    // `a/**` as a glob also matches `a` itself, which is no directory when it is a changed path.
    if (directoryOnly) return compileGlob(`${whole}/*/**`, { hidden: true })
    const exact = compileGlob(whole, { hidden: true })
    const lastSegment = body.slice(body.lastIndexOf('/') + 1)
    return anchored && isGlob(lastSegment) && lastSegment !== '**' ? exact : (path) => exact(path) || below(path)
  },
}

/**
 * GitLab: any path that does not begin with a slash may stand anywhere, and only one that ends with a slash means what is below
 * a directory (GitLab 18, `docs/user/project/codeowners/reference`).
 */
const gitlab: Patterns = {
  problem: (pattern) => rangeProblem(pattern) ?? braceProblem(pattern) ?? globProblem(`**/${pattern}/**`),
  compile(pattern) {
    const body = pattern.startsWith('/') ? pattern.slice(1) : `**/${pattern}`
    return compileGlob(body.endsWith('/') || body === '' ? `${body}*/**` : body, { hidden: true })
  },
}

/** Longest expression; its time is linear in its length and that of the path. */
const MAX_EXPRESSION = 500

/**
 * Gitea and Forgejo: a regular expression between `^` and `$`, a slash before it left out (models/issues/pull.go of 1.26). Theirs
 * can look around and refer back, which takes time without bound: what needs that cannot be read here.
 */
const gitea: Patterns = {
  problem(pattern) {
    if (pattern.length > MAX_EXPRESSION) return `the expression is longer than ${MAX_EXPRESSION} characters`
    try {
      RE2JS.compile(expression(pattern))
      return null
    } catch (error) {
      return `it is no regular expression that can be read here: ${(error instanceof Error ? error.message : String(error)).slice(0, 200)}`
    }
  },
  compile(pattern) {
    const compiled = RE2JS.compile(expression(pattern))
    return (path) => compiled.matcher(path).find()
  },
}
const expression = (pattern: string): string => `^${pattern.replace(/^\//, '')}$`

const rangeProblem = (pattern: string): string | null =>
  pattern.includes('[') ? 'character ranges such as [a-z] are not supported' : null
const braceProblem = (pattern: string): string | null =>
  /[{}]/.test(pattern) ? 'braces stand for themselves there, which is not supported' : null

const github: Patterns = { ...gitignore, problem: (pattern) => gitignore.problem(pattern) ?? braceProblem(pattern) }

export const PATTERNS: { readonly [dialect in OwnersDialect]: Patterns } = { builtin: gitignore, github, gitlab, gitea }
