import { readFile, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { syncDirectory } from '../lib/durable-file.ts'
import { TrueupError } from '../lib/errors/error.ts'
import { runProcess } from '../lib/process/run.ts'
import { syncPath } from './child/durability.ts'

/** The key with which this installation signs the commits that it makes. */
export interface SigningKey {
  /** Private key in OpenSSH's format, without a passphrase. */
  file: string
  /** `ssh-ed25519 AAAA… comment`, as it goes into a file of allowed signers. */
  publicKey: string
}

const MAKE_MS = 30_000

/**
 * Reads the key, or has ssh-keygen make it at the first start. Null where there is no ssh-keygen: then nothing is signed,
 * and Git could not sign either.
 */
export async function openSigningKey(file: string, comment: string): Promise<SigningKey | null> {
  const known = await publicKeyOf(file)
  if (known !== null) return (await hasKeygen()) ? { file, publicKey: known } : null
  const fresh = `${file}.new`
  await rm(fresh, { force: true })
  await rm(`${fresh}.pub`, { force: true })
  const made = await keygen(['-q', '-t', 'ed25519', '-N', '', '-C', comment, '-f', fresh])
  if (made === null) return null
  if (made.exitCode !== 0)
    throw new TrueupError('TOOL_FAILED', { doing: 'making the key that signs merges', why: made.stderr.trim() })
  // ssh-keygen does not sync what it writes: after a power cut both would be there and empty.
  for (const written of [fresh, `${fresh}.pub`]) await syncPath(written)
  // The private key last: a kill in between makes the pair anew.
  await rename(`${fresh}.pub`, `${file}.pub`)
  await rename(fresh, file)
  await syncDirectory(dirname(file))
  return { file, publicKey: (await readFile(`${file}.pub`, 'utf8')).trim() }
}

async function publicKeyOf(file: string): Promise<string | null> {
  try {
    const key = await readFile(file, 'utf8')
    const publicKey = (await readFile(`${file}.pub`, 'utf8')).trim()
    // Empty ones are what a power cut has left of a pair that was not on the disk yet: nothing was signed with it.
    return key === '' || publicKey === '' ? null : publicKey
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw thrown
  }
}

const hasKeygen = async (): Promise<boolean> => (await keygen(['-?'])) !== null

/** Null where there is none. */
async function keygen(argv: string[]) {
  const env = { PATH: process.env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C' }
  try {
    return await runProcess({ argv: ['ssh-keygen', ...argv], env, timeoutMs: MAKE_MS })
  } catch (thrown) {
    if (thrown instanceof TrueupError && thrown.code === 'TOOL_MISSING') return null
    throw thrown
  }
}
