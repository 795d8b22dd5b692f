import { TrueupError } from '../lib/errors/error.ts'
import { decodePath } from './paths.ts'
import type { Commit, Person, TreeEntry } from './repository.ts'

const SPACE = 0x20
const NUL = 0

/** Entries of a raw tree object: `<mode> <name>\0<oid bytes>`, again and again. `oid` names it in errors. */
export function parseTree(content: Buffer, oid: string): TreeEntry[] {
  const oidBytes = oid.length / 2
  const entries: TreeEntry[] = []
  for (let at = 0; at < content.length; ) {
    const space = content.indexOf(SPACE, at)
    const nul = content.indexOf(NUL, space + 1)
    const end = nul + 1 + oidBytes
    if (space < 0 || nul < 0 || end > content.length) throw corrupt('tree', oid)
    const mode = content.toString('latin1', at, space).padStart(6, '0')
    entries.push({
      name: nameAt(content, space + 1, nul),
      mode,
      type: mode.startsWith('04') ? 'tree' : mode.startsWith('16') ? 'commit' : 'blob',
      oid: content.toString('hex', nul + 1, end),
    })
    at = end
  }
  return entries
}

function nameAt(content: Buffer, start: number, end: number): string {
  for (let at = start; at < end; at++) if (content[at]! >= 0x80) return decodePath(content.subarray(start, end))
  return content.toString('latin1', start, end)
}

/** A raw commit object: header lines (continued by a leading space), an empty line, the message. */
export function parseCommit(content: Buffer, oid: string): Commit {
  const text = content.toString('utf8')
  const split = text.indexOf('\n\n')
  const headers = (split < 0 ? text : text.slice(0, split)).split('\n')
  const valueOf = (name: string): string | undefined =>
    headers.find((line) => line.startsWith(`${name} `))?.slice(name.length + 1)
  const tree = valueOf('tree')
  if (tree === undefined) throw corrupt('commit', oid)
  return {
    oid,
    tree,
    parents: headers.filter((line) => line.startsWith('parent ')).map((line) => line.slice('parent '.length)),
    author: parsePerson(valueOf('author') ?? ''),
    committer: parsePerson(valueOf('committer') ?? ''),
    message: split < 0 ? '' : text.slice(split + 2),
  }
}

/** `Name <email> <seconds> <zone>`; whatever is missing or odd in old histories becomes empty or 0. */
function parsePerson(line: string): Person {
  const close = line.lastIndexOf('>')
  const open = line.lastIndexOf('<', close)
  const seconds = Number.parseInt(line.slice(close + 1).trim(), 10)
  return {
    name: line.slice(0, Math.max(open, 0)).trim(),
    email: open < 0 ? '' : line.slice(open + 1, close),
    at: Number.isSafeInteger(seconds) ? seconds * 1000 : 0,
  }
}

function corrupt(type: string, oid: string): TrueupError {
  return new TrueupError('GIT_FAILED', {
    doing: `reading ${type} ${oid}`,
    why: 'the object is damaged',
    next: 'Check the repository with `git fsck` and restore it from a backup.',
  })
}
