import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
  verify,
} from 'node:crypto'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { TrueupError } from '../../lib/errors/error.ts'
import type { Queries } from './context.ts'
import { writeDurably } from '../../lib/durable-file.ts'
import { getMeta, setMeta } from './meta.ts'
import { asFileError } from './sqlite/errors.ts'

/** The installation's own secrets, kept as files beside the database and never in it. */
export interface DataKeys {
  /** Encrypts and authenticates (AES-256-GCM). `context` says what it is for; it opens under the same context only. */
  seal(plain: Buffer, context: string): string
  /** Reverses `seal`; also what an older key sealed. DATA_CORRUPT when it was changed or belongs elsewhere. */
  open(sealed: string, context: string): Buffer
  /** Ed25519 signature of a text, base64url, with the audit key. */
  sign(text: string): string
  /** True when this installation's audit key made the signature. */
  verify(text: string, signature: string): boolean
  /** Name of the audit key: the first 16 hex digits of the SHA-256 of its public part. */
  readonly auditKeyId: string
  /** Its public part, SPKI in PEM: enough to verify. */
  readonly auditPublicKey: string
}

/** Directory of the keys in a data directory. */
export const KEYS_DIRECTORY = 'keys'
const DATA_KEY = 'data.key'
const AUDIT_KEY = 'audit.key'
const IV_BYTES = 12
const TAG_BYTES = 16

interface DataKey {
  id: string
  key: Buffer
}

/**
 * Reads the keys of a data directory, or makes them at the first start. Once the database has been used with a key, a
 * missing or other one is DATA_CORRUPT: making a new one would leave every secret unreadable for ever.
 */
export async function openKeys(dataDir: string, db: Queries): Promise<DataKeys> {
  const directory = join(dataDir, KEYS_DIRECTORY)
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 })
    const dataKeys = await dataKeysOf(directory, await getMeta(db, 'dataKeyId'))
    const auditKey = await auditKeyOf(directory, await getMeta(db, 'auditKeyId'))
    const keys = makeKeys(dataKeys, auditKey)
    await setMeta(db, 'dataKeyId', dataKeys[0].id)
    await setMeta(db, 'auditKeyId', keys.auditKeyId)
    return keys
  } catch (error) {
    throw asFileError(error, 'reading the keys', directory)
  }
}

/** Which keys the database was written with; null where with none yet. */
export interface UsedKeys {
  dataKeyId: string | null
  auditKeyId: string | null
}

/** DATA_CORRUPT where a key that the database was written with is missing or another. Makes none. */
export async function checkKeys(dataDir: string, { dataKeyId, auditKeyId }: UsedKeys): Promise<void> {
  const directory = join(dataDir, KEYS_DIRECTORY)
  if (dataKeyId !== null) await dataKeysOf(directory, dataKeyId)
  if (auditKeyId !== null) await auditKeyOf(directory, auditKeyId)
}

/** Puts a new data key on top: it seals from the next start on, and the older ones still open what they sealed. */
export async function rotateDataKey(dataDir: string): Promise<string> {
  const file = join(dataDir, KEYS_DIRECTORY, DATA_KEY)
  const fresh = randomBytes(32)
  await writeDurably(file, `${fresh.toString('base64')}\n${await readFile(file, 'utf8')}`, 0o600)
  return idOfDataKey(fresh)
}

type DataKeyList = [DataKey, ...DataKey[]]

/** The file holds one key a line, base64, the newest first. */
async function dataKeysOf(directory: string, usedId: string | null): Promise<DataKeyList> {
  const file = join(directory, DATA_KEY)
  const text = await readIfThere(file)
  if (text === null) {
    if (usedId !== null) throw damaged(file, `it is missing, and the database was written with key ${usedId}`)
    const key = randomBytes(32)
    await writeDurably(file, `${key.toString('base64')}\n`, 0o600)
    return [{ id: idOfDataKey(key), key }]
  }
  const lines = text.split('\n').filter((line) => line.trim() !== '')
  const [first, ...older] = lines.map((line, index) => {
    const key = Buffer.from(line, 'base64')
    if (key.length !== 32) throw damaged(file, `line ${index + 1} is not a key of 32 bytes`)
    return { id: idOfDataKey(key), key }
  })
  if (!first) throw damaged(file, 'it is empty')
  if (usedId !== null && ![first, ...older].some((key) => key.id === usedId))
    throw damaged(file, `it lacks key ${usedId}, which the database was written with`)
  return [first, ...older]
}

async function auditKeyOf(directory: string, usedId: string | null): Promise<KeyObject> {
  const file = join(directory, AUDIT_KEY)
  const text = await readIfThere(file)
  if (text === null) {
    if (usedId !== null) throw damaged(file, `it is missing, and the audit was signed with key ${usedId}`)
    const { privateKey } = generateKeyPairSync('ed25519')
    await writeDurably(file, privateKey.export({ type: 'pkcs8', format: 'pem' }), 0o600)
    return privateKey
  }
  let key: KeyObject
  try {
    key = createPrivateKey(text)
  } catch (error) {
    throw damaged(file, 'it is not a private key in PEM', error)
  }
  if (usedId !== null && publicKeyId(key) !== usedId)
    throw damaged(file, `it is another key than ${usedId}, which the audit was signed with`)
  return key
}

function makeKeys(dataKeys: DataKeyList, auditKey: KeyObject): DataKeys {
  const [newest] = dataKeys
  const auditPublicKey = createPublicKey(auditKey).export({ type: 'spki', format: 'pem' }) as string
  return {
    auditKeyId: publicKeyId(auditKey),
    auditPublicKey,
    sign: (text) => sign(null, Buffer.from(text), auditKey).toString('base64url'),
    verify: verifierOf(auditPublicKey),
    seal(plain, context) {
      const iv = randomBytes(IV_BYTES)
      const cipher = createCipheriv('aes-256-gcm', newest.key, iv).setAAD(Buffer.from(context))
      const body = Buffer.concat([cipher.update(plain), cipher.final()])
      return `v1.${newest.id}.${Buffer.concat([iv, cipher.getAuthTag(), body]).toString('base64url')}`
    },
    open(sealed, context) {
      const doing = `opening a sealed value (${context})`
      const [version, id, body] = sealed.split('.')
      if (version !== 'v1' || body === undefined)
        throw new TrueupError('DATA_CORRUPT', { doing, why: 'it is not a value that Trueup sealed' })
      const key = dataKeys.find((known) => known.id === id)?.key
      if (!key) throw new TrueupError('DATA_CORRUPT', { doing, why: `it was sealed with key ${id}, which is not here` })
      const bytes = Buffer.from(body, 'base64url')
      try {
        const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, IV_BYTES), { authTagLength: TAG_BYTES })
          .setAAD(Buffer.from(context))
          .setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES))
        return Buffer.concat([decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES)), decipher.final()])
      } catch (cause) {
        throw new TrueupError('DATA_CORRUPT', { doing, why: 'it was changed, or belongs to something else', cause })
      }
    },
  }
}

/** Checks signatures of the audit key whose public part this is. */
export function verifierOf(auditPublicKey: string): DataKeys['verify'] {
  const key = createPublicKey(auditPublicKey)
  return (text, signature) => verify(null, Buffer.from(text), key, Buffer.from(signature, 'base64url'))
}

const idOfDataKey = (key: Buffer): string => createHash('sha256').update(key).digest('hex').slice(0, 8)

const publicKeyId = (key: KeyObject): string =>
  createHash('sha256')
    .update(createPublicKey(key).export({ type: 'spki', format: 'der' }))
    .digest('hex')
    .slice(0, 16)

const readIfThere = (file: string): Promise<string | null> =>
  readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw error
  })

const damaged = (file: string, why: string, cause?: unknown): TrueupError =>
  new TrueupError('DATA_CORRUPT', {
    doing: `reading the key file ${file}`,
    why,
    next: 'Put the key file of the last backup back.',
    cause,
  })
