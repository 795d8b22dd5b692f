import type { GitChild } from './child-process.ts'
import { nulFields, type GitCommand } from './git-command.ts'
import { checkOid } from './names.ts'
import { commandLinePath, decodePath } from './paths.ts'
import type { PatchSection } from './protocol.ts'
import type { DiffOptions, FileDiff, FileStatus } from './repository.ts'

const DEFAULT_BYTES_PER_FILE = 256 * 1024
const DEFAULT_FILES = 1_000
/** Hunks of all files together. */
const MAX_BYTES = 32 * 1024 * 1024
const TIMEOUT_MS = 60_000
const STATUS: { [letter: string]: FileStatus } = {
  A: 'added',
  D: 'deleted',
  M: 'modified',
  R: 'renamed',
  C: 'copied',
  T: 'type-changed',
}
const NULL_MODE = '000000'

/** The files that differ, with renames found and hunks as far as the limits allow. */
export async function compare(
  child: GitChild,
  git: GitCommand,
  repository: string,
  range: { base: string; head: string },
  options: DiffOptions = {},
): Promise<FileDiff[]> {
  const doing = 'comparing'
  const { maxBytesPerFile = DEFAULT_BYTES_PER_FILE, maxFiles = DEFAULT_FILES } = options
  const pathspecs = (options.paths ?? []).map((path) => commandLinePath(path, doing)).filter((path) => path !== '.')
  const compared = ['-r', '-M', '--no-ext-diff', '--no-textconv', '--end-of-options']
  const trees = [checkOid(range.base, doing), checkOid(range.head, doing), '--', ...pathspecs]
  const listing = await git.expect(
    doing,
    ['diff-tree', '--raw', '--numstat', '-z', '--no-abbrev', ...compared, ...trees],
    {
      readOnly: true,
      maxOutputBytes: MAX_BYTES,
      timeoutMs: TIMEOUT_MS,
    },
  )
  const files = parseListing(listing.stdout)
  if (files.length === 0) return files
  const sections = await child.call(
    'patches',
    {
      repository,
      argv: ['diff-tree', '-p', '--src-prefix=a/', '--dst-prefix=b/', '--full-index', ...compared, ...trees],
      maxBytesPerFile,
      maxFiles,
      maxBytes: MAX_BYTES,
      timeoutMs: TIMEOUT_MS,
    },
    { repeat: true },
  )
  addHunks(files, sections)
  return files
}

/** `--raw -z` records, then `--numstat -z` records of the same files in the same order. */
function parseListing(bytes: Buffer): FileDiff[] {
  const fields = nulFields(bytes)
  const files: FileDiff[] = []
  let at = 0
  while (at < fields.length && fields[at]![0] === 0x3a) {
    const [oldMode = '', newMode = '', oldOid = '', newOid = '', status = ''] = fields[at++]!.toString('latin1')
      .slice(1)
      .split(' ')
    const letter = status[0]!
    const oldPath = decodePath(fields[at++]!)
    const path = letter === 'R' || letter === 'C' ? decodePath(fields[at++]!) : oldPath
    files.push({
      path,
      oldPath,
      status: STATUS[letter] ?? 'modified',
      oldMode: oldMode === NULL_MODE ? null : oldMode,
      newMode: newMode === NULL_MODE ? null : newMode,
      oldOid: oldMode === NULL_MODE ? null : oldOid,
      newOid: newMode === NULL_MODE ? null : newOid,
      binary: false,
      additions: 0,
      deletions: 0,
      hunks: '',
      truncated: false,
    })
  }
  for (const file of files) {
    const [added = '', deleted = '', name = ''] = fields[at++]?.toString('latin1').split('\t') ?? []
    // An empty name means a rename: both names follow as fields of their own.
    if (name === '') at += 2
    file.binary = added === '-'
    file.additions = Number.parseInt(added, 10) || 0
    file.deletions = Number.parseInt(deleted, 10) || 0
  }
  return files
}

/** Sections come in the order of the files; a change of type is two sections, a removal and an addition. */
function addHunks(files: FileDiff[], sections: readonly PatchSection[]): void {
  let at = 0
  for (const file of files) {
    const own = sections.slice(at, at + (file.status === 'type-changed' ? 2 : 1))
    at += file.status === 'type-changed' ? 2 : 1
    file.hunks = own.map(({ text }) => hunksOf(text)).join('')
    file.truncated = own.length === 0 || own.some((section) => section.truncated)
  }
}

function hunksOf(section: Buffer): string {
  const start = section.indexOf('\n@@ ')
  return start < 0 ? '' : section.toString('utf8', start + 1)
}
