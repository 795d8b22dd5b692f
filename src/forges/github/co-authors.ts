import type { RemotePerson } from '../remote/api.ts'

/**
 * Accounts that the `Co-authored-by:` lines of a message name by GitHub's own addresses, `ID+NAME@users.noreply.github.com`. Other
 * addresses are looked for among the people here, as everywhere.
 */
export function coAuthorsOf(message: string): RemotePerson[] {
  const lines = message.matchAll(
    /^[ \t]*co-?authored-by[ \t]*:.{0,1000}<(\d{1,15})\+([^@<>\s]{1,100})@users\.noreply\.[^<>\s]{1,200}>/gim,
  )
  return [...lines].map(([, id = '', name = '']) => ({ id, name }))
}
