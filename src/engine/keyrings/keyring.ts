import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readYaml } from '../../domain/config/document.ts'
import { type SignerConfig, SignerList } from '../../domain/signatures/config.ts'
import type { CommitSignature } from '../../domain/signatures/signature.ts'
import { type Signer, sshFingerprint, timesOf } from '../../domain/signatures/signers.ts'
import type { GitRepository, Signers } from '../../git/repository.ts'
import { createRemembered } from '../../git/remembered.ts'
import type { SigningKey } from '../../git/signing-key.ts'
import { digestOf } from '../../lib/digest.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import type { Queries } from '../../store/database/context.ts'
import { findUserByName } from '../../store/people/users.ts'
import { importGpgKeys, readGpgKeys } from './gpg-keys.ts'

/** The keys that count by one configuration. */
export interface Keyring {
  signers: readonly Signer[]
  /** The server's own key, by which the built-in forge signs; null where it has none. */
  forge: Signer | null
  /** What Git says of a commit by these keys, whatever their times. */
  signature(git: GitRepository, commit: string): Promise<CommitSignature>
}

/** Makes keyrings; remembers what was asked of Git, since neither commits nor keys change. */
export interface Keyrings {
  of(db: Queries, signers: readonly SignerConfig[]): Promise<Keyring>
}

const REMEMBERED = 20_000
const KEYS = 1_000
const FORGE = 'trueup'

/** `file`: more signers, for all repositories; read anew each time, so that a change of it counts at once. */
export function createKeyrings({ file, own }: { file: string | undefined; own: SigningKey | null }): Keyrings {
  const answers = createRemembered<CommitSignature>(REMEMBERED)
  const gpgKeys = createRemembered<Awaited<ReturnType<typeof readGpgKeys>>>(KEYS)

  const resolve = async (db: Queries, config: SignerConfig, where: Signer['where']): Promise<Signer[]> => {
    const user = config.user === undefined ? undefined : await findUserByName(db, config.user)
    const base = { name: config.name, ...timesOf(config), left: user?.disabledAt ?? null, where }
    if (config.ssh !== undefined) return [{ ...base, key: sshFingerprint(config.ssh) }]
    const armoured = config.gpg!
    const found = await gpgKeys.answer(armoured, () => readGpgKeys(armoured))
    return found.map(({ fingerprint, expiries }) => ({ ...base, key: fingerprint, expiries }))
  }

  return {
    async of(db, configured) {
      const onServer = file === undefined ? [] : await readSigners(file)
      const signers = [
        ...(await Promise.all(configured.map((config) => resolve(db, config, 'trueup.yaml')))).flat(),
        ...(await Promise.all(onServer.map((config) => resolve(db, config, 'server')))).flat(),
      ]
      const never = { from: null, until: null, revoked: null, left: null }
      const forge: Signer | null = own && {
        name: FORGE,
        key: sshFingerprint(own.publicKey),
        ...never,
        where: 'server' as const,
      }
      const all = [...configured, ...onServer]
      const ssh = all.flatMap(({ name, ssh: key }) => (key === undefined ? [] : [{ name, key }]))
      if (own) ssh.push({ name: FORGE, key: own.publicKey })
      const gpg = all.flatMap(({ gpg: key }) => key ?? [])
      const digest = digestOf([ssh, gpg])
      return {
        signers,
        forge,
        signature: (git, commit) =>
          answers.answer(`${git.id} ${commit} ${digest}`, () =>
            withFiles({ ssh, gpg }, (files) => git.signature(commit, files, 'commit')),
          ),
      }
    },
  }
}

/** The list of `--signers`: as `signers:` of trueup.yaml. */
export async function readSigners(file: string): Promise<SignerConfig[]> {
  const doing = `reading the signers of the server (${file})`
  const text = await readFile(file).catch((thrown: NodeJS.ErrnoException) => {
    throw new TrueupError('CONFIG_INVALID', { doing, why: thrown.message })
  })
  const parsed = SignerList.safeParse(readYaml(text, doing).value)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw new TrueupError('CONFIG_INVALID', { doing, why: `${issue!.path.join('.')}: ${issue!.message}` })
}

/** Git takes keys from files; these are gone again after the question. */
async function withFiles<T>(
  { ssh, gpg }: { ssh: readonly { name: string; key: string }[]; gpg: readonly string[] },
  use: (files: Signers) => Promise<T>,
): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), 'trueup-signers-'))
  try {
    const file = join(directory, 'allowed')
    await writeFile(file, ssh.map(({ name, key }) => `${name} namespaces="git" ${key}\n`).join(''), { mode: 0o600 })
    if (gpg.length === 0) return await use({ ssh: file })
    await importGpgKeys(directory, gpg)
    return await use({ ssh: file, gpgHome: directory })
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}
