import { OWNER_FILES, type OwnersDialect, parseCodeOwners } from '../../domain/gates/code-owners.ts'
import type { Finding } from '../../domain/plans/plan.ts'
import { asTrueupError } from '../../lib/errors/error.ts'
import type { WorkingTree } from './working-tree.ts'

/** Names that a server knows, lower case for addresses. */
export interface Accounts {
  users: ReadonlySet<string>
  emails: ReadonlySet<string>
  teams: ReadonlySet<string>
}

const OWNER_FILES_OF_ALL = [...new Set(Object.values(OWNER_FILES).flat())]

/** Of the forge whose directory it stands in; a working tree does not say on which one it is. */
const dialectAt = (path: string): OwnersDialect =>
  path.startsWith('.github/')
    ? 'github'
    : path.startsWith('.gitlab/')
      ? 'gitlab'
      : /^\.(?:gitea|forgejo)\//.test(path)
        ? 'gitea'
        : 'builtin'

/**
 * What the CODEOWNERS file of a working tree says in vain: lines that cannot be read, accounts that do not exist.
 * `accounts` asks the server; null where nobody is logged in.
 */
export async function ownersFindings(
  tree: Pick<WorkingTree, 'files' | 'read'>,
  accounts: (() => Promise<Accounts>) | null,
): Promise<Finding[]> {
  const path = OWNER_FILES_OF_ALL.find((file) => tree.files.includes(file))
  const text = path === undefined ? null : await tree.read(path)
  if (path === undefined || !text) return []
  const { rules, problems } = parseCodeOwners(text.toString('utf8'), dialectAt(path))
  const findings: Finding[] = problems.map(({ line, message }) => ({
    severity: 'warning',
    code: 'code_owners',
    message: `this line protects nothing: ${message}`,
    path,
    line,
  }))
  const owners = rules.flatMap((rule) => rule.owners.map((owner) => ({ ...owner, line: rule.line })))
  if (owners.length === 0) return findings
  const unchecked = (why: string): Finding => ({
    severity: 'info',
    code: 'code_owners',
    message: `whether its accounts exist was not checked: ${why}`,
    path,
  })
  if (!accounts) return [...findings, unchecked('nobody is logged in (trueup login)')]
  let known: Accounts
  try {
    known = await accounts()
  } catch (thrown) {
    return [...findings, unchecked(asTrueupError(thrown, 'asking the server for its accounts').text.why)]
  }
  const told = new Set<string>()
  for (const { kind, name, line } of owners) {
    const exists = {
      user: known.users.has(name),
      team: known.teams.has(name),
      email: known.emails.has(name.toLowerCase()),
      // Whoever has it at the time.
      role: true,
    }
    const called = kind === 'email' ? name : kind === 'team' ? `team:${name}` : `@${name}`
    if (exists[kind] || told.has(called)) continue
    told.add(called)
    const what = kind === 'team' ? 'no team' : 'no account'
    const team = kind === 'user' && exists.team ? `; there is a team of that name: team:${name}` : ''
    findings.push({
      severity: 'warning',
      code: 'code_owners',
      message: `${called} is ${what} of the server${team}`,
      path,
      line,
    })
  }
  return findings
}
