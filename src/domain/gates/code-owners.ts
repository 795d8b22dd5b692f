import { globProblem, isGlob, compileGlob } from '../glob.ts'

export interface Owner {
  /** `@name` and `user:name` are users; `team:name`, `@org/name` and GitLab's `@@role` are teams. */
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
  /** How many of the owners have to approve: more than one in a section such as `[Security][2]`. */
  needed: number
  line: number
}

/** What a file says that nobody will act on. */
export interface OwnersProblem {
  line: number
  message: string
}

export interface CodeOwners {
  rules: CodeOwnersRule[]
  /** Lines, and parts of lines, that cannot be read. */
  problems: OwnersProblem[]
}

/** Those who own a file by one section. */
export interface OwnerGroup {
  section: string | null
  owners: Owner[]
  needed: number
}

const MAX_BYTES = 1024 * 1024
const MAX_RULES = 5000
/** `^[Name][2] @owners`; the space behind a heading is what tells it from a pattern with a range. */
const HEADING = /^(\^)?\[([^\]]+)\](?:\[([^\]]*)\])?(?=\s|$)(.*)$/
const NO_SECTION: Section = { name: null, optional: false, needed: 1, owners: [] }

interface Section {
  name: string | null
  optional: boolean
  needed: number
  owners: Owner[]
}

/**
 * Reads a CODEOWNERS file as GitHub and GitLab do: one pattern and its owners per line, `#` begins a comment, a backslash
 * keeps a space or `#` in the pattern, and GitLab's sections `[Name]`, `^[Optional]`, `[Name][2]` (two approvals) with default
 * owners behind them. Lines that cannot be read are reported and own nothing.
 */
export function parseCodeOwners(text: string): CodeOwners {
  const rules: CodeOwnersRule[] = []
  const problems: CodeOwners['problems'] = []
  if (text.length > MAX_BYTES) return { rules, problems: [{ line: 1, message: 'the file is larger than 1 MiB' }] }
  let section = NO_SECTION
  const names = new Map<string, string>()

  for (const [index, raw] of text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .entries()) {
    const line = index + 1
    const report = (message: string) => problems.push({ line, message })
    const content = raw.trim()
    if (content === '' || content.startsWith('#')) continue
    const heading = HEADING.exec(content)
    if (heading) {
      section = sectionOf(heading, names, report)
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
      needed: section.needed,
      line,
    })
  }
  return { rules, problems }
}

function sectionOf(
  [, optional, title = '', count, rest = '']: RegExpExecArray,
  names: Map<string, string>,
  report: (message: string) => void,
): Section {
  // GitLab compares the names of sections without case; a section that is opened again goes on.
  const name = names.get(title.trim().toLowerCase()) ?? title.trim()
  names.set(name.toLowerCase(), name)
  const isCount = count === undefined || /^[1-9]\d{0,2}$/.test(count)
  if (!isCount) report(`[${count.slice(0, 20)}] is no number of approvals from 1 to 999; one is asked for`)
  const needed = count !== undefined && isCount ? Number(count) : 1
  return { name, optional: optional !== undefined, needed, owners: ownersIn(words(rest), report) }
}

/**
 * Owners of `path` (from the root of the repository), one group per section that owns it: in each section those of the
 * last rule that matches. A change needs the approvals of every group. Optional sections and rules without owners ask for
 * nobody.
 */
export function ownerGroupsOf(parsed: CodeOwners, path: string): OwnerGroup[] {
  const last = new Map<string | null, CodeOwnersRule>()
  for (const [rule, matches] of compiled(parsed)) if (matches(path)) last.set(rule.section, rule)
  return [...last.values()]
    .filter(({ optional, owners }) => !optional && owners.length > 0)
    .map(({ section, owners, needed }) => ({ section, owners: unique(owners), needed }))
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
