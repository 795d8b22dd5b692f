import { createDecipheriv } from 'node:crypto'

/** A value as SOPS writes it: `ENC[AES256_GCM,data:…,iv:…,tag:…,type:str]`. */
const SEALED = /^ENC\[AES256_GCM,data:([\w+/=]*),iv:([\w+/=]+),tag:([\w+/=]+),type:(\w+)\]$/

export type Type = 'str' | 'int' | 'float' | 'bool' | 'bytes' | 'time'
const TYPES: ReadonlySet<string> = new Set(['str', 'int', 'float', 'bool', 'bytes', 'time'])

export const isSealed = (text: string): boolean => SEALED.test(text)

/**
 * Opens one value. It is bound to the keys above it (`a:b:`; positions in lists are no part of it), so that none can stand
 * in for another. Null where the key does not fit or anything was changed.
 */
export function openValue(sealed: string, key: Buffer, binding: string): { bytes: Buffer; type: Type } | null {
  const [, data = '', iv = '', tag = '', type = ''] = SEALED.exec(sealed) ?? []
  if (!TYPES.has(type)) return null
  try {
    const authTag = Buffer.from(tag, 'base64')
    if (authTag.length !== 16) return null
    const decipher = createDecipheriv('aes-256-gcm', key, Buffer.from(iv, 'base64'), { authTagLength: 16 })
      .setAAD(Buffer.from(binding))
      .setAuthTag(authTag)
    const bytes = Buffer.concat([decipher.update(Buffer.from(data, 'base64')), decipher.final()])
    return { bytes, type: type as Type }
  } catch {
    return null
  }
}
