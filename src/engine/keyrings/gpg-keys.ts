import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { TrueupError } from '../../lib/errors/error.ts'
import { runProcess } from '../../lib/process/run.ts'

/** What an armoured OpenPGP key is: fingerprint of the primary one, and when it and its subkeys expire by themselves. */
export interface GpgKey {
  fingerprint: string
  expiries: { [fingerprint: string]: number | null }
}

const GPG_MS = 20_000

/** Asks gpg in a home of its own, which is gone afterwards. */
export async function readGpgKeys(armoured: string): Promise<GpgKey[]> {
  const home = await mkdtemp(join(tmpdir(), 'trueup-gpg-'))
  try {
    return keysIn(await gpg(home, ['--with-colons', '--show-keys'], armoured))
  } finally {
    await rm(home, { recursive: true, force: true })
  }
}

/** Puts public keys into a home of gpg's, so that Git can ask by it. */
export async function importGpgKeys(home: string, armoured: readonly string[]): Promise<void> {
  await gpg(home, ['--import'], armoured.join('\n'))
}

async function gpg(home: string, argv: string[], input: string): Promise<string> {
  const env = { PATH: process.env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C' }
  const all = ['gpg', '--homedir', home, '--batch', '--quiet', '--no-autostart', ...argv]
  const { exitCode, stdout, stderr } = await runProcess({ argv: all, env, input, timeoutMs: GPG_MS })
  if (exitCode !== 0)
    throw new TrueupError('TOOL_FAILED', { doing: 'reading OpenPGP keys of signers', why: stderr.trim().slice(0, 500) })
  return stdout
}

/** Records of `--with-colons`: doc/DETAILS of GnuPG. The seventh field is when a key expires, in seconds. */
function keysIn(colons: string): GpgKey[] {
  const keys: GpgKey[] = []
  let expiry: number | null = null
  let isPrimary = false
  for (const fields of colons.split('\n').map((line) => line.split(':'))) {
    const [kind] = fields
    if (kind === 'pub' || kind === 'sub') {
      isPrimary = kind === 'pub'
      expiry = fields[6] ? Number(fields[6]) * 1000 : null
    }
    if (kind !== 'fpr') continue
    const fingerprint = fields[9] ?? ''
    if (isPrimary) keys.push({ fingerprint, expiries: { [fingerprint]: expiry } })
    else if (keys.length > 0) keys.at(-1)!.expiries[fingerprint] = expiry
  }
  return keys
}
