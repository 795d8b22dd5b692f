import { open, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { TrueupError } from '../../lib/errors/error.ts'
import { ageIdentities } from './keys.ts'
import { decryptSops, mayBeSops } from './decrypt.ts'

/** SOPS reads files whole; so does this, up to here. */
const MAX_BYTES = 8 * 1024 * 1024

/**
 * Decrypts what SOPS has encrypted below a private copy of a repository, in place: whatever the driver is, it and its tools
 * find plain files. `hide` is told every value before anybody else sees one. Answers with the paths.
 * @throws SOPS_FAILED
 */
export async function decryptTree(
  root: string,
  { env, hide }: { env: NodeJS.ProcessEnv; hide: (secret: string) => void },
): Promise<string[]> {
  const identities = await ageIdentities(env)
  const done: string[] = []
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    // A link is never followed: what it leads to is a file of its own, or outside.
    if (!entry.isFile()) continue
    const file = join(entry.parentPath, entry.name)
    const path = relative(root, file)
    const isTooLarge = (await stat(file)).size > MAX_BYTES
    // Of a large file the end is enough: SOPS writes of itself there.
    const text = isTooLarge ? await endOf(file) : await readFile(file, 'utf8')
    if (!mayBeSops(text)) continue
    if (isTooLarge)
      throw new TrueupError('SOPS_FAILED', {
        doing: `decrypting ${path}`,
        why: `it is larger than ${MAX_BYTES / 1024 / 1024} MiB`,
      })
    const decrypted = await decryptSops(path, text, identities)
    if (decrypted === null) continue
    for (const secret of decrypted.secrets) hide(secret)
    await writeFile(file, decrypted.text)
    done.push(path)
  }
  return done.sort()
}

/** The last 64 KiB of a file. */
async function endOf(file: string): Promise<string> {
  const handle = await open(file)
  try {
    const { size } = await handle.stat()
    const length = 64 * 1024
    const { buffer } = await handle.read(Buffer.alloc(length), 0, length, Math.max(0, size - length))
    return buffer.toString('utf8')
  } finally {
    await handle.close()
  }
}
