import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runProcess } from '../lib/process/run.ts'
import type { GitCommand } from './git-command.ts'
import { checkOid } from './names.ts'
import type { CommitSignature } from '../domain/signatures/signature.ts'
import type { GitRepository, Signers } from './repository.ts'

type Signatures = Pick<GitRepository, 'signature' | 'trailers'>

/** Status, signer, fingerprint of the key and of its primary key: git-log(1), "PRETTY FORMATS". */
const FORMAT = '%G?%x00%GS%x00%GF%x00%GP'
const KEYGEN_MS = 10_000

/** Git checks signatures, by ssh-keygen and gpg; here is only said what its answers mean. */
export function createSignatures(git: GitCommand): Signatures {
  return {
    async signature(commit, signers, asOf) {
      const doing = 'checking the signature of a commit'
      const oid = checkOid(commit, doing)
      const raw = (await git.expect(doing, ['cat-file', 'commit', oid], { readOnly: true })).stdout.toString('utf8')
      const signature = signatureIn(raw)
      if (signature === null) return { status: 'none' }
      if (!signature.includes('BEGIN SSH SIGNATURE')) return await gpgSignature(git, oid, signers)
      const found = await sshSignature(git, oid, signers)
      if (found.status !== 'good' || asOf === 'commit') return found
      return (await isValidNow(signature, found.signer, signers)) ? found : { ...found, status: 'expired' }
    },
    async trailers(commit, name) {
      const doing = 'reading the trailers of a commit'
      const format = `--format=%(trailers:key=${name},valueonly,unfold)`
      const argv = ['log', '--no-walk', format, checkOid(commit, doing)]
      const { stdout } = await git.expect(doing, argv, { readOnly: true })
      return stdout
        .toString('utf8')
        .split('\n')
        .map((line) => line.trim())
        .filter(Boolean)
    },
  }
}

/** The `gpgsig` header of a commit object; its continued lines begin with a blank. */
function signatureIn(raw: string): string | null {
  const header = raw.slice(0, raw.indexOf('\n\n') + 1)
  const found = /^gpgsig(?:-sha256)? (.*\n(?: .*\n)*)/m.exec(header)?.[1]
  return found === undefined ? null : found.replaceAll(/^ /gm, '')
}

const settingsOf = (settings: readonly [string, string][]): string[] =>
  settings.flatMap(([key, value]) => ['-c', `${key}=${value}`])

const ask = async (git: GitCommand, oid: string, settings: [string, string][], env: { [name: string]: string }) => {
  const argv = [...settingsOf(settings), 'log', '--no-walk', `--format=${FORMAT}`, oid]
  const { stdout } = await git.expect('checking a signature', argv, { readOnly: true, env })
  const [status = '', signer = '', key = '', primary = ''] = stdout.toString('utf8').replace(/\n$/, '').split('\0')
  return { status, signer, key, primary }
}

async function sshSignature(git: GitCommand, oid: string, { ssh, sshRevoked }: Signers): Promise<CommitSignature> {
  const allowed: [string, string][] = [['gpg.ssh.allowedSignersFile', ssh ?? '/dev/null']]
  const revoked: [string, string][] = sshRevoked === undefined ? [] : [['gpg.ssh.revocationFile', sshRevoked]]
  const found = await ask(git, oid, [...allowed, ...revoked], {})
  const { key } = found
  if (found.status === 'G' && found.signer !== '') return { status: 'good', format: 'ssh', signer: found.signer, key }
  if (found.status === 'U') {
    // Only here it says why no allowed signer was found.
    const argv = [...settingsOf(allowed), 'verify-commit', oid]
    const { stderr } = await git.run(argv, { readOnly: true })
    const late = /key (?:has expired|is not yet valid)/.test(stderr)
    return { status: late ? 'expired' : 'unknown', format: 'ssh', key }
  }
  // ssh-keygen says of a revoked key only that the signature does not do.
  const without = revoked.length === 0 ? found : await ask(git, oid, allowed, {})
  const isRevoked = without.status === 'G' || without.status === 'U'
  return { status: isRevoked ? 'revoked' : 'bad', format: 'ssh', key: key || without.key }
}

/**
 * Git asks whether the key was valid at the time that the commit itself tells, which whoever holds an expired key is free
 * to choose. ssh-keygen(1), `-Y find-principals`: by default as of now.
 */
async function isValidNow(signature: string, signer: string, { ssh }: Signers): Promise<boolean> {
  const directory = await mkdtemp(join(tmpdir(), 'trueup-signature-'))
  try {
    const file = join(directory, 'signature')
    await writeFile(file, signature, { mode: 0o600 })
    const argv = ['ssh-keygen', '-Y', 'find-principals', '-s', file, '-f', ssh ?? '/dev/null']
    const env = { PATH: process.env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C' }
    const { exitCode, stdout } = await runProcess({ argv, cwd: directory, env, timeoutMs: KEYGEN_MS })
    return exitCode === 0 && stdout.split('\n').some((line) => line.trim() === signer)
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

const GPG_STATUS: { [letter: string]: 'good' | 'expired' | 'revoked' | 'unknown' } = {
  G: 'good',
  // Good by a key that nobody has said to trust: trust is told by fingerprints here.
  U: 'good',
  X: 'expired',
  Y: 'expired',
  R: 'revoked',
  E: 'unknown',
}

async function gpgSignature(git: GitCommand, oid: string, { gpgHome }: Signers): Promise<CommitSignature> {
  const { status, signer, key, primary } = await ask(git, oid, [], { GNUPGHOME: gpgHome ?? '/nonexistent' })
  const known = GPG_STATUS[status] ?? 'bad'
  const fingerprint = primary || key
  const subkey = key !== '' && key !== fingerprint ? { subkey: key } : {}
  if (known === 'good') return { status: 'good', format: 'gpg', signer, key: fingerprint, ...subkey }
  return { status: known, format: 'gpg', key: fingerprint, ...subkey, ...(status === 'Y' && { keyExpired: true }) }
}
