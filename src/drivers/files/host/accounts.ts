import { readFileSync } from 'node:fs'
import { TrueupError } from '../../../lib/errors/error.ts'

/** Names and numbers of the host's users and groups, from /etc/passwd and /etc/group. */
export interface Accounts {
  /** Throws SOURCE_INVALID for a name that the host does not have. */
  uid: (owner: string | number) => number
  gid: (group: string | number) => number
  /** The name, or the number as text where none is known. */
  userName: (uid: number) => string
  groupName: (gid: number) => string
}

/**
 * Reads the account files once. Accounts of a directory service (LDAP, SSSD) are not seen: such owners are given as
 * numbers.
 */
export function readAccounts(passwd = '/etc/passwd', group = '/etc/group'): Accounts {
  const users = parse(passwd)
  const groups = parse(group)
  return {
    uid: (owner) => idOf(owner, users, 'user', passwd),
    gid: (name) => idOf(name, groups, 'group', group),
    userName: (uid) => users.names.get(uid) ?? String(uid),
    groupName: (gid) => groups.names.get(gid) ?? String(gid),
  }
}

interface Table {
  ids: Map<string, number>
  names: Map<number, string>
}

function parse(file: string): Table {
  const table: Table = { ids: new Map(), names: new Map() }
  let text = ''
  try {
    text = readFileSync(file, 'utf8')
  } catch {
    return table // A host without the file has numbers only.
  }
  for (const line of text.split('\n')) {
    const [name, , id] = line.split(':')
    if (!name || !id || !/^\d+$/.test(id)) continue
    if (!table.ids.has(name)) table.ids.set(name, Number(id))
    if (!table.names.has(Number(id))) table.names.set(Number(id), name)
  }
  return table
}

function idOf(account: string | number, table: Table, kind: 'user' | 'group', file: string): number {
  if (typeof account === 'number') return account
  const id = table.ids.get(account) ?? (/^\d+$/.test(account) ? Number(account) : undefined)
  if (id !== undefined) return id
  throw new TrueupError('SOURCE_INVALID', {
    doing: `looking up the ${kind} "${account}" on the host`,
    why: `${file} does not have it`,
    next: `Create the ${kind} on the host, or give its number (accounts of a directory service are known by number only).`,
  })
}
