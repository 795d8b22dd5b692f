/** What Git itself says of a commit's signature. */
export type CommitSignature =
  | { status: 'none' }
  /** `signer`: principal of the allowed signers, or GnuPG's user id. `key`: fingerprint (SSH `SHA256:…`, of GnuPG the primary key's). */
  | ({ status: 'good'; format: 'ssh' | 'gpg'; signer: string; key: string } & Subkey)
  | ({
      status: 'bad' | 'unknown' | 'expired' | 'revoked'
      format: 'ssh' | 'gpg'
      key: string
      /** Of GnuPG: the key has expired since or before; the signature itself fits and has not expired. */
      keyExpired?: true
    } & Subkey)

interface Subkey {
  /** Of GnuPG: fingerprint of the key that signed, where that is not the primary one. */
  subkey?: string
}
