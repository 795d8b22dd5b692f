import { parseGiteaOwners } from './gitea-owners.ts'
import { type OwnerMatch, PATTERNS } from './owner-patterns.ts'
import {
  type CodeOwners,
  type CodeOwnersRule,
  MAX_RULES,
  type Owner,
  type OwnerGroup,
  type OwnersDialect,
  tooManyRules,
} from './owner-rules.ts'

export { OWNER_FILES } from './owner-rules.ts'
export type { CodeOwners, Owner, OwnerGroup, OwnersDialect, OwnersProblem } from './owner-rules.ts'

const MAX_BYTES = 1024 * 1024
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
 * Reads a CODEOWNERS file as the forge of its repository does. On the built-in forge as GitHub and GitLab do, as far as they
 * agree: one pattern and its owners per line, `#` begins a comment, a backslash keeps a space or `#` in the pattern, and GitLab's
 * sections `[Name]`, `^[Optional]`, `[Name][2]` (two approvals) with default owners behind them. Lines that cannot be read are
 * reported and own nothing.
 */
export function parseCodeOwners(text: string, dialect: OwnersDialect = 'builtin'): CodeOwners {
  const rules: CodeOwnersRule[] = []
  const problems: CodeOwners['problems'] = []
  if (text.length > MAX_BYTES)
    return { dialect, rules, problems: [{ line: 1, message: 'the file is larger than 1 MiB' }] }
  if (dialect === 'gitea') return parseGiteaOwners(text)
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
    // GitHub has no sections: there a heading is a line that cannot be read.
    const heading = dialect === 'github' ? null : HEADING.exec(content)
    if (heading) {
      section = sectionOf(heading, names, { dialect, report })
      continue
    }
    const [first = '', ...rest] = words(content)
    const isNegated = dialect === 'gitlab' && first.startsWith('!')
    const pattern = isNegated ? first.slice(1) : first
    const why = PATTERNS[dialect].problem(pattern)
    if (why !== null) {
      report(why)
      continue
    }
    if (rules.length >= MAX_RULES) {
      report(tooManyRules)
      break
    }
    const own = ownersIn(rest, { dialect, report })
    // GitHub passes over the whole of a line in which something is wrong.
    if (dialect === 'github' && own.length < rest.length) continue
    const owners = rest.length === 0 && dialect !== 'github' ? section.owners : own
    rules.push({
      section: section.name,
      pattern: pattern.replace(/^\\(?=#)/, ''),
      ...(isNegated && { negated: true }),
      owners: isNegated ? [] : owners,
      optional: section.optional,
      needed: section.needed,
      line,
    })
  }
  return { dialect, rules, problems }
}

interface Reading {
  dialect: OwnersDialect
  report: (message: string) => void
}

function sectionOf(
  [, optional, title = '', count, rest = '']: RegExpExecArray,
  names: Map<string, string>,
  { dialect, report }: Reading,
): Section {
  // GitLab compares the names of sections without case; a section that is opened again goes on.
  const name = names.get(title.trim().toLowerCase()) ?? title.trim()
  names.set(name.toLowerCase(), name)
  const isCount = count === undefined || /^[1-9]\d{0,2}$/.test(count)
  if (!isCount) report(`[${count.slice(0, 20)}] is no number of approvals from 1 to 999; one is asked for`)
  const needed = count !== undefined && isCount ? Number(count) : 1
  return { name, optional: optional !== undefined, needed, owners: ownersIn(words(rest), { dialect, report }) }
}

/**
 * Owners of `path` (from the root of the repository), one group per section that owns it: in each section those of the
 * last rule that matches, on Gitea one per rule that matches. A change needs the approvals of every group. Optional sections and
 * rules without owners ask for nobody.
 */
export function ownerGroupsOf(parsed: CodeOwners, path: string): OwnerGroup[] {
  const matching = compiled(parsed).flatMap(([rule, matches]) => (matches(path) ? [rule] : []))
  return (parsed.dialect === 'gitea' ? matching : lastOfEachSection(matching))
    .filter(({ optional, owners }) => !optional && owners.length > 0)
    .map(({ section, owners, needed }) => ({ section, owners: unique(owners), needed }))
}

/** What a section of GitLab has left out once it does not take in again. */
function lastOfEachSection(matching: readonly CodeOwnersRule[]): CodeOwnersRule[] {
  const left = new Set(matching.filter(({ negated }) => negated).map(({ section }) => section))
  const last = new Map(matching.map((rule) => [rule.section, rule]))
  return [...last.values()].filter(({ section }) => !left.has(section))
}

const unique = (owners: readonly Owner[]): Owner[] => [
  ...new Map(owners.map((owner) => [`${owner.kind}:${owner.name}`, owner])).values(),
]

type Compiled = [CodeOwnersRule, OwnerMatch][]
const compiledFiles = new WeakMap<CodeOwners, Compiled>()

/** A merge request asks for each of its files: the patterns of one file are compiled once. */
function compiled(parsed: CodeOwners): Compiled {
  const known = compiledFiles.get(parsed)
  if (known) return known
  const fresh = parsed.rules.map((rule): Compiled[number] => {
    const matches = PATTERNS[parsed.dialect].compile(rule.pattern)
    return [rule, rule.negated && parsed.dialect === 'gitea' ? (path) => !matches(path) : matches]
  })
  compiledFiles.set(parsed, fresh)
  return fresh
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

/** Direct members with a role, as GitLab names them; each role is what its people are here. */
const ROLES: { readonly [name: string]: string } = {
  developer: 'contributor',
  developers: 'contributor',
  maintainer: 'maintainer',
  maintainers: 'maintainer',
}

function ownersIn(names: readonly string[], { dialect, report }: Reading): Owner[] {
  return names.flatMap((name): Owner[] => {
    const owner = dialect === 'builtin' ? ownOwnerOf(name) : null
    if (owner) return [owner]
    const [, at, called = ''] = /^(@@?)([^@\s]+)$/.exec(name) ?? []
    const isRole = at === '@@' && dialect === 'gitlab'
    if (isRole && ROLES[called]) return [{ kind: 'role', name: ROLES[called] }]
    if (isRole && /^owners?$/.test(called)) {
      report(`${name}: owners of a project are maintainers here, and not told from them`)
      return []
    }
    if (at === '@') return [{ kind: called.includes('/') ? 'team' : 'user', name: called }]
    if (/^[^@\s]+@[^@\s]+$/.test(name)) return [{ kind: 'email', name }]
    const own = dialect === 'builtin' ? '@user, @team, team:NAME or an address' : '@user, @team or an address'
    report(`${JSON.stringify(name.slice(0, 80))} is no owner: write ${own}`)
    return []
  })
}

/** What only the built-in forge knows. */
function ownOwnerOf(name: string): Owner | null {
  const team = /^team:(.+)$/.exec(name)?.[1] ?? /^@@?([^@]+\/.+)$/.exec(name)?.[1] ?? /^@@([^@/]+)$/.exec(name)?.[1]
  if (team !== undefined) return { kind: 'team', name: team }
  const user = /^@([^@/]+)$/.exec(name)?.[1] ?? /^user:(.+)$/.exec(name)?.[1]
  return user === undefined ? null : { kind: 'user', name: user }
}
