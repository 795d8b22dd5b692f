import { readdir, readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { TrueupError } from '../../../lib/errors/error.ts'
import type { DriverContext } from '../../driver.ts'

export const HEADER = '$ANSIBLE_VAULT;'
const INLINE = /\$ANSIBLE_VAULT;[\w.;-]+(?:(?:\s|\\r|\\n)+[0-9a-f]{2,})+/g
const MAX_FILE_BYTES = 4 * 1024 * 1024

/** Something encrypted, as `ansible-vault` takes it. */
export interface Encrypted {
  text: string
  /** A whole file, which is mostly YAML itself. */
  whole: boolean
}

/** All that stands encrypted below a directory. SOURCE_INVALID for a file that is too large to be searched. */
export async function encryptedBelow(context: DriverContext<unknown>, root: string): Promise<Encrypted[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true })
  const found: Encrypted[] = []
  for (const entry of entries) {
    if (!entry.isFile()) continue
    const bytes = await readFile(join(entry.parentPath, entry.name))
    if (!bytes.includes(HEADER)) continue
    if (bytes.length > MAX_FILE_BYTES) throw tooLarge(context, relative(root, join(entry.parentPath, entry.name)))
    const text = bytes.toString('utf8')
    if (text.startsWith(HEADER)) found.push({ text, whole: true })
    else found.push(...inlineValues(text).map((value) => ({ text: value, whole: false })))
  }
  return found
}

/**
 * Single values inside a file, whatever it is otherwise: YAML with `!vault` in any number of documents, JSON with
 * `__ansible_vault`, a template. They are known by their header and the lines of hex digits that follow it.
 */
function inlineValues(text: string): string[] {
  return [...text.matchAll(INLINE)].map(([value]) =>
    value
      .split(/\\r?\\n|\\n|\s+/)
      .filter((line) => line !== '')
      .join('\n')
      .concat('\n'),
  )
}

function tooLarge(context: DriverContext<unknown>, path: string): TrueupError {
  return new TrueupError('SOURCE_INVALID', {
    doing: `looking for secrets of stack "${context.stack.name}"`,
    why: `${path} holds vaulted values and is larger than ${MAX_FILE_BYTES / 1024 / 1024} MiB, so that they could not be hidden`,
    next: 'Split the file.',
  })
}
