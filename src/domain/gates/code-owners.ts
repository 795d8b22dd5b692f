import { globProblem, isGlob, compileGlob } from '../glob.ts'

export interface Owner {
  /** `@name` is a user or a team (forges write both alike); `@org/name`, `team:name` and GitLab's `@@role` are teams. */
  kind: 'user' | 'team' | 'email'
  name: string
}

export interface CodeOwnersRule {
  /** Section the rule stands in; rules of one section override each other, those of several add up. */
  section: string | null
  pattern: string
  /** Empty: what the pattern matches has no owner. */
  owners: Owner[]
  /** In an optional section (`^[Docs]`): owners are told, their approval is not needed. */
  optional: boolean
  line: number
}

export interface CodeOwners {
  rules: CodeOwnersRule[]
  problems: { line: number; message: string }[]
}

const MAX_BYTES = 1024 * 1024
const MAX_RULES = 5000

/**
 * Reads a CODEOWNERS file as GitHub and GitLab do: one pattern and its owners per line, `#` begins a comment, a backslash
 * keeps a space or `#` in the pattern, and GitLab's sections `[Name]`, `^[Optional]`, `[Name][2]` with default owners behind
 * them. Lines that cannot be read are reported and own nothing.
 */
export function parseCodeOwners(text: string): CodeOwners {
  const rules: CodeOwnersRule[] = []
  const problems: CodeOwners['problems'] = []
  if (text.length > MAX_BYTES) return { rules, problems: [{ line: 1, message: 'the file is larger than 1 MiB' }] }
  let section: { name: string | null; optional: boolean; owners: Owner[] } = { name: null, optional: false, owners: [] }
  const names = new Map<string, string>()

  for (const [index, raw] of text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .entries()) {
    const line = index + 1
    const report = (message: string) => problems.push({ line, message })
    const content = raw.trim()
    if (content === '' || content.startsWith('#')) continue
    const heading = /^(\^)?\[([^\]]+)\](?:\[\d+\])?(?=\s|$)(.*)$/.exec(content)
    if (heading) {
      const [, optional, title = '', rest = ''] = heading
      // GitLab compares the names of sections without case; a section that is opened again goes on.
      const name = names.get(title.trim().toLowerCase()) ?? title.trim()
      names.set(name.toLowerCase(), name)
      section = { name, optional: optional !== undefined, owners: ownersIn(words(rest), report) }
      continue
    }
    const [pattern = '', ...rest] = words(content)
    const why = patternProblem(pattern)
    if (why !== null) {
      report(why)
      continue
    }
    if (rules.length >= MAX_RULES) {
      report(`the file has more than ${MAX_RULES} rules; this one and those after it are left out`)
      break
    }
    const own = ownersIn(rest, report)
    const owners = rest.length === 0 ? section.owners : own
    rules.push({
      section: section.name,
      pattern: pattern.replace(/^\\(?=#)/, ''),
      owners,
      optional: section.optional,
      line,
    })
  }
  return { rules, problems }
}

/**
 * Owners of `path` (from the root of the repository), one group per section that owns it: in each section those of the
 * last rule that matches. A change needs an approval of someone of every group. Optional sections and rules without
 * owners ask for nobody.
 */
export function ownerGroupsOf(parsed: CodeOwners, path: string): Owner[][] {
  const last = new Map<string | null, CodeOwnersRule>()
  for (const [rule, matches] of compiled(parsed)) if (matches(path)) last.set(rule.section, rule)
  return [...last.values()]
    .filter(({ optional, owners }) => !optional && owners.length > 0)
    .map((rule) => unique(rule.owners))
}

/** Everyone of `ownerGroupsOf`, each once. */
export function ownersOf(parsed: CodeOwners, path: string): Owner[] {
  return unique(ownerGroupsOf(parsed, path).flat())
}

const unique = (owners: readonly Owner[]): Owner[] => [
  ...new Map(owners.map((owner) => [`${owner.kind}:${owner.name}`, owner])).values(),
]

type Compiled = [CodeOwnersRule, (path: string) => boolean][]
const compiledFiles = new WeakMap<CodeOwners, Compiled>()

/** A merge request asks for each of its files: the patterns of one file are compiled once. */
function compiled(parsed: CodeOwners): Compiled {
  const known = compiledFiles.get(parsed)
  if (known) return known
  const fresh = parsed.rules.map((rule): Compiled[number] => [rule, matcher(rule.pattern)])
  compiledFiles.set(parsed, fresh)
  return fresh
}

/**
 * Patterns are those of .gitignore: one without a slash (but for its end) matches in any directory, one that matches a
 * directory matches all below it; `docs/*` matches only what lies directly in it (GitHub's documentation of CODEOWNERS).
 */
function matcher(pattern: string): (path: string) => boolean {
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
}

function patternProblem(pattern: string): string | null {
  if (pattern.startsWith('!')) return 'patterns that begin with "!" are not supported'
  if (pattern.includes('[')) return 'character ranges such as [a-z] are not supported'
  return globProblem(`**/${pattern}/**`)
}

/** Words at blanks that no backslash keeps; `#` at the beginning of a word ends the line. */
function words(text: string): string[] {
  const found: string[] = []
  for (const [word] of text.matchAll(/(?:\\.|[^\s\\])+/g)) {
    if (word.startsWith('#')) break
    found.push(word.replaceAll(/\\([ #])/g, '$1'))
  }
  return found
}

function ownersIn(names: readonly string[], report: (message: string) => void): Owner[] {
  return names.flatMap((name): Owner[] => {
    const team = /^team:(.+)$/.exec(name)?.[1] ?? /^@@?([^@]+\/.+)$/.exec(name)?.[1] ?? /^@@([^@/]+)$/.exec(name)?.[1]
    if (team !== undefined) return [{ kind: 'team', name: team }]
    const user = /^@([^@/]+)$/.exec(name)?.[1] ?? /^user:(.+)$/.exec(name)?.[1]
    if (user !== undefined) return [{ kind: 'user', name: user }]
    if (/^[^@\s]+@[^@\s]+$/.test(name)) return [{ kind: 'email', name }]
    report(`${JSON.stringify(name.slice(0, 80))} is no owner: write @user, @team, team:NAME or an address`)
    return []
  })
}
