import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto'
import { TrueupError } from '../../lib/errors/error.ts'

const NONCE = 12
const TAG = 16

/** AES-256-GCM under a run's own key; layout: nonce, tag, ciphertext. */
export interface Sealing {
  seal: (plain: Buffer) => Buffer
  /** @throws DATA_CORRUPT for bytes that were changed or sealed by another run. */
  open: (sealed: Buffer) => Buffer
}

export function sealing(keyBase64: string): Sealing {
  const given = Buffer.from(keyBase64, 'base64')
  const key = given.length === 32 ? given : createHash('sha256').update(given).digest()
  return {
    seal(plain) {
      const nonce = randomBytes(NONCE)
      const cipher = createCipheriv('aes-256-gcm', key, nonce)
      const body = Buffer.concat([cipher.update(plain), cipher.final()])
      return Buffer.concat([nonce, cipher.getAuthTag(), body])
    },
    open(sealed) {
      try {
        const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, NONCE), { authTagLength: TAG })
        decipher.setAuthTag(sealed.subarray(NONCE, NONCE + TAG))
        return Buffer.concat([decipher.update(sealed.subarray(NONCE + TAG)), decipher.final()])
      } catch (cause) {
        throw new TrueupError('DATA_CORRUPT', {
          doing: 'opening a sealed plan',
          why: 'it was changed, or belongs to another run',
          next: 'Plan again.',
          cause,
        })
      }
    },
  }
}
