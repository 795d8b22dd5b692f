import { PATTERNS } from './owner-patterns.ts'
import { type CodeOwners, type CodeOwnersRule, MAX_RULES, type Owner, tooManyRules } from './owner-rules.ts'

/**
 * A CODEOWNERS file of Gitea or Forgejo, word by word as they read it: a backslash keeps the character behind it and is gone
 * itself, `#` ends the line wherever it stands, and all rules that match add up.
 */
export function parseGiteaOwners(text: string): CodeOwners {
  const rules: CodeOwnersRule[] = []
  const problems: CodeOwners['problems'] = []
  for (const [index, raw] of text.split('\n').entries()) {
    const line = index + 1
    const report = (message: string) => problems.push({ line, message })
    const [first, ...names] = wordsOf(raw)
    if (first === undefined) continue
    if (names.length === 0) {
      report('it names no owner')
      continue
    }
    const isNegated = first.startsWith('!')
    const pattern = isNegated ? first.slice(1) : first
    const why = PATTERNS.gitea.problem(pattern)
    if (why !== null) {
      report(why)
      continue
    }
    const owners = names.flatMap((name) => ownerOf(name, report))
    if (owners.length === 0) continue
    if (rules.length >= MAX_RULES) {
      report(tooManyRules)
      break
    }
    rules.push({
      section: null,
      pattern,
      ...(isNegated && { negated: true }),
      owners,
      optional: false,
      needed: 1,
      line,
    })
  }
  return { dialect: 'gitea', rules, problems }
}

function wordsOf(raw: string): string[] {
  const found: string[] = []
  let word = ''
  let isKept = false
  for (const character of raw.trim().replaceAll('\t', ' ')) {
    if (isKept) {
      word += character
      isKept = false
    } else if (character === '\\') isKept = true
    else if (character === '#') break
    else if (character !== ' ') word += character
    else if (word !== '') {
      found.push(word)
      word = ''
    }
  }
  return word === '' ? found : [...found, word]
}

/** The `@` may be left out. Addresses are none. */
function ownerOf(text: string, report: (message: string) => void): Owner[] {
  const name = text.replace(/^@/, '')
  const parts = name.split('/')
  if (parts.length <= 2 && parts.every((part) => /^[\w.-]+$/.test(part)))
    return [{ kind: parts.length === 2 ? 'team' : 'user', name }]
  report(`${JSON.stringify(text.slice(0, 80))} is no owner: write @user or @organisation/team`)
  return []
}
