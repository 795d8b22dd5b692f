import { TrueupError } from '../lib/errors/error.ts'
import type { GitCommand } from './git-command.ts'
import { personLine } from './identity.ts'
import { checkOid } from './names.ts'
import { encodePath, pathComponents } from './paths.ts'
import type { CommitFiles } from './repository.ts'

/** Exists only inside the one `fast-import`, which deletes it before it writes any ref. */
const SCRATCH = 'refs/trueup/scratch'

/** Makes a commit from its parent's tree and the changes by `git fast-import`: one process, no index, no working copy. */
export async function commitFiles(git: GitCommand, options: CommitFiles): Promise<string> {
  const doing = 'making a commit'
  const parts: Buffer[] = []
  const line = (text: string): number => parts.push(Buffer.from(`${text}\n`))
  const data = (bytes: Buffer): number => parts.push(Buffer.from(`data ${bytes.length}\n`), bytes, Buffer.from('\n'))
  const command = (start: string, path: string): number =>
    parts.push(Buffer.from(`${start} `), quoted(path, doing), Buffer.from('\n'))

  line('feature done')
  line(`commit ${SCRATCH}`)
  line('mark :1')
  line(`author ${personLine(options.author)}`)
  line(`committer ${personLine(options.committer ?? options.author)}`)
  data(Buffer.from(options.message))
  if (options.parent !== null) line(`from ${checkOid(options.parent, doing)}`)
  for (const { path, oid, mode } of options.trees ?? []) {
    if (oid === null) command('D', path)
    else command(`M ${mode ?? (await modeOf(git, oid, doing))} ${checkOid(oid, doing)}`, path)
  }
  for (const { path, content, mode = '100644' } of options.files) {
    if (pathComponents(path, doing).length === 0) throw rootIsNoFile(doing)
    if (content === null) command('D', path)
    else {
      command(`M ${mode} inline`, path)
      data(content)
    }
  }
  line('get-mark :1')
  line(`reset ${SCRATCH}`)
  line(`from ${'0'.repeat(40)}`)
  line('done')
  const argv = ['fast-import', '--quiet', '--done', '--date-format=raw']
  const { stdout } = await git.expect(doing, argv, { input: Buffer.concat(parts) })
  return checkOid(stdout.toString('latin1').trim(), doing)
}

/** A path as a C string: quotes, backslashes and line feeds escaped, other bytes as they are. */
function quoted(path: string, doing: string): Buffer {
  const bytes = encodePath(pathComponents(path, doing).join('/'))
  const parts: number[] = [0x22]
  for (const byte of bytes) {
    if (byte === 0x0a) parts.push(0x5c, 0x6e)
    else if (byte === 0x22 || byte === 0x5c) parts.push(0x5c, byte)
    else parts.push(byte)
  }
  return Buffer.from([...parts, 0x22])
}

async function modeOf(git: GitCommand, oid: string, doing: string): Promise<string> {
  const { stdout } = await git.expect(doing, ['cat-file', '-t', checkOid(oid, doing)], { readOnly: true })
  return stdout.toString('latin1').trim() === 'tree' ? '040000' : '100644'
}

function rootIsNoFile(doing: string): TrueupError {
  return new TrueupError('INVALID_REQUEST', {
    doing,
    why: 'a file needs a name',
    next: 'Name the file, or use `trees`.',
  })
}
