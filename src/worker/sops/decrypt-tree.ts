import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
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
    if ((await stat(file)).size > MAX_BYTES) continue
    const text = await readFile(file, 'utf8')
    if (!mayBeSops(text)) continue
    const path = relative(root, file)
    const decrypted = await decryptSops(path, text, identities)
    if (decrypted === null) continue
    for (const secret of decrypted.secrets) hide(secret)
    await writeFile(file, decrypted.text)
    done.push(path)
  }
  return done.sort()
}
