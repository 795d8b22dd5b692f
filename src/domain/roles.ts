/** What a person is in a repository, weakest first; each may everything that those before it may. */
export const ROLES = ['reader', 'contributor', 'maintainer', 'deployer', 'admin'] as const
export type Role = (typeof ROLES)[number]

/** The least that reviews a merge request; a vote counts as long as its giver is that. */
export const VOTER: Role = 'contributor'
/** The least that releases a waiting run; a release counts as long as its giver is that. */
export const RELEASER: Role = 'deployer'

export const isAtLeast = (role: Role, needed: Role): boolean => ROLES.indexOf(role) >= ROLES.indexOf(needed)

/** A person as far as rights go: server administrators may everything, whatever their role. */
export interface Standing {
  kind: 'admin' | 'member'
  disabled: boolean
  /** In the repository concerned; null for none. */
  role: Role | null
}

/** Why a person may not (or no longer) do what takes `needed`, to follow their name; null while they may. */
export function whyNot(standing: Standing | null, needed: Role): string | null {
  if (!standing) return 'has no account any more'
  if (standing.disabled) return 'has a disabled account'
  if (standing.kind === 'admin') return null
  if (standing.role === null) return 'has no role in this repository any more'
  return isAtLeast(standing.role, needed) ? null : `is ${standing.role}, and this takes ${needed}`
}
