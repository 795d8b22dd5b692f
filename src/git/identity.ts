import type { Person } from './repository.ts'

/** Git allows no `<`, `>` or line breaks in names, and no name made of nothing else. */
function clean(text: string): string {
  return text
    .replaceAll(/[\p{Cc}<>]/gu, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim()
}

function seconds(at: number): number {
  return Math.max(0, Math.floor(at / 1000))
}

/** `Name <email> 1700000000 +0000`, as commit objects hold it. */
export function personLine(person: Person): string {
  const email = clean(person.email).replaceAll(' ', '')
  return `${clean(person.name) || email || 'unknown'} <${email}> ${seconds(person.at)} +0000`
}

/** The same as variables for `git commit-tree`. */
export function personEnvironment(role: 'AUTHOR' | 'COMMITTER', person: Person): { [name: string]: string } {
  const email = clean(person.email).replaceAll(' ', '')
  return {
    [`GIT_${role}_NAME`]: clean(person.name) || email || 'unknown',
    [`GIT_${role}_EMAIL`]: email,
    [`GIT_${role}_DATE`]: `@${seconds(person.at)} +0000`,
  }
}
