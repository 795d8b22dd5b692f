import { createHash } from 'node:crypto'
import type { SignerConfig } from './config.ts'

/** A key that counts, with the times between which it does. Milliseconds; null: no bound. */
export interface Signer {
  name: string
  /** `SHA256:…` of an SSH key, fingerprint of an OpenPGP primary key. */
  key: string
  from: number | null
  until: number | null
  /** 0: always. */
  revoked: number | null
  /** When the account of the person was disabled. */
  left: number | null
  /** Of OpenPGP: fingerprint → when that key expires by itself; the primary key and its subkeys. */
  expiries?: { readonly [fingerprint: string]: number | null }
  where: 'trueup.yaml' | 'server'
}

const at = (moment: string | undefined): number | null => (moment === undefined ? null : Date.parse(moment))

/** The times of a signer, whatever its key. */
export const timesOf = ({ from, until, revoked }: SignerConfig): Pick<Signer, 'from' | 'until' | 'revoked'> => ({
  from: at(from),
  until: at(until),
  revoked: revoked === 'always' ? 0 : at(revoked),
})

/** Fingerprint of an SSH public key as ssh-keygen(1) prints it. */
export function sshFingerprint(publicKey: string): string {
  const blob = Buffer.from(publicKey.split(' ')[1] ?? '', 'base64')
  return `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`
}
