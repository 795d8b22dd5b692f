/** Whose CODEOWNERS a file is: each forge reads its own (docs/concepts/code-owners.md has the table). */
export type OwnersDialect = 'builtin' | 'github' | 'gitlab' | 'gitea'

/** Where the file may stand, in the order in which it is looked for. */
export const OWNER_FILES: { readonly [dialect in OwnersDialect]: readonly string[] } = {
  builtin: ['CODEOWNERS', '.github/CODEOWNERS', '.gitlab/CODEOWNERS', 'docs/CODEOWNERS'],
  github: ['.github/CODEOWNERS', 'CODEOWNERS', 'docs/CODEOWNERS'],
  gitlab: ['CODEOWNERS', 'docs/CODEOWNERS', '.gitlab/CODEOWNERS'],
  gitea: ['CODEOWNERS', 'docs/CODEOWNERS', '.gitea/CODEOWNERS', '.forgejo/CODEOWNERS'],
}

export interface Owner {
  /** `@name` and `user:name` are users; `team:name` and `@org/name` are teams; `role`: what GitLab's `@@maintainers` are here. */
  kind: 'user' | 'team' | 'email' | 'role'
  name: string
}

export interface CodeOwnersRule {
  /** Section the rule stands in; rules of one section override each other, those of several add up. */
  section: string | null
  pattern: string
  /** GitLab: what it matches has no owner in its section. Gitea: it owns what its pattern does not match. */
  negated?: true
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
  dialect: OwnersDialect
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

export const MAX_RULES = 5000
export const tooManyRules = `the file has more than ${MAX_RULES} rules; this one and those after it are left out`
