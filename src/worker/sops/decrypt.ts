import { createHash, timingSafeEqual } from 'node:crypto'
import { type Document, isAlias, isMap, isScalar, isSeq, type Node, parseAllDocuments, type Scalar } from 'yaml'
import { z } from 'zod'
import { TrueupError } from '../../lib/errors/error.ts'
import { isSealed, openValue } from './values.ts'

/** What a file looked like, and what of it nobody may see. */
export interface Decrypted {
  text: string | Buffer
  secrets: string[]
}

/** What SOPS writes beside the values (https://getsops.io/docs/#important-information-on-types). */
const Metadata = z.looseObject({
  age: z
    .array(z.looseObject({ enc: z.string().max(20_000) }))
    .max(200)
    .nullish(),
  lastmodified: z.string(),
  mac: z.string(),
  mac_only_encrypted: z.boolean().nullish(),
  key_groups: z.array(z.unknown()).nullish(),
})
type Metadata = z.infer<typeof Metadata>

const FORMATS = 'of the formats of SOPS only YAML, JSON and the binary one are read here'
/** What SOPS writes of itself into dotenv and INI files. */
const OTHER_FORMATS = /^(sops_mac=ENC\[|\[sops\]\s*$)/m

/** Cheap, and never false for a file of SOPS: what does not hold this is not even parsed. */
export const mayBeSops = (text: string): boolean => text.includes('ENC[AES256_GCM,') && text.includes('lastmodified')

/**
 * Decrypts a file of SOPS whose data key is sealed for one of `identities` (age): YAML of any number of documents, JSON, and
 * anything else in SOPS's binary form. Null for what is no such file. Values, and that none was added, taken away or moved
 * (the file's MAC), are checked before anything is handed on.
 * @throws SOPS_FAILED with the path and never a value
 */
export async function decryptSops(
  path: string,
  text: string,
  identities: readonly string[],
): Promise<Decrypted | null> {
  const failed = (why: string, next?: string): TrueupError =>
    new TrueupError('SOPS_FAILED', { doing: `decrypting ${path}`, why, ...(next && { next }) })
  if (OTHER_FORMATS.test(text)) throw failed(FORMATS)
  const isYaml = /\.ya?ml$/.test(path)
  const documents = parseAllDocuments(text, { prettyErrors: false, uniqueKeys: false, intAsBigInt: true })
  if ('empty' in documents || documents.some(({ errors }) => errors.length > 0)) return null
  const found = documents.map((document) => (isMap(document.contents) ? document.get('sops') : undefined))
  if (!found.some((one) => isMap(one) && one.has('mac'))) return null
  const [parsed] = documents.map((document) => Metadata.safeParse((document.toJS() as { sops?: unknown })?.sops))
  if (!parsed?.success) throw failed('what SOPS says of the file is not as expected')
  const metadata = parsed.data
  if (metadata.mac_only_encrypted) throw failed('it was written with --mac-only-encrypted, which is not read here')
  const key = await dataKey(metadata, identities, failed)
  const opened: Opened = { hash: createHash('sha512'), secrets: [], key, failed }
  for (const document of documents) {
    document.delete('sops')
    walk(document.contents, [], opened)
  }
  checkMac(metadata, opened)
  const { secrets } = opened
  if (isYaml) return { text: documents.map(String).join(''), secrets }
  const [document] = documents
  if (path.endsWith('.json')) return { text: `${JSON.stringify(plain(document!), null, 2)}\n`, secrets }
  const { data } = document!.toJS() as { data?: unknown }
  if (typeof data !== 'string') throw failed(FORMATS)
  return { text: data, secrets }
}

interface Opened {
  hash: ReturnType<typeof createHash>
  secrets: string[]
  key: Buffer
  failed: (why: string, next?: string) => TrueupError
}

async function dataKey(
  { age, key_groups: groups }: Metadata,
  identities: readonly string[],
  failed: Opened['failed'],
): Promise<Buffer> {
  if (groups && groups.length > 0) throw failed('its key is shared among groups, which is not read here')
  if (!age || age.length === 0) throw failed('it is sealed for no age key; PGP and the KMS of clouds are not read here')
  if (identities.length === 0) throw failed('this worker has no age key')
  // 5 to 12 MB resident (2026) that only those need who have such files.
  const { armor, Decrypter } = await import('age-encryption')
  const decrypter = new Decrypter()
  for (const identity of identities) decrypter.addIdentity(identity)
  for (const { enc } of age) {
    const key = await Promise.resolve()
      .then(() => decrypter.decrypt(armor.decode(enc)))
      .catch(() => null)
    if (key?.length === 32) return Buffer.from(key)
  }
  throw failed('it is sealed for none of the age keys that this worker has')
}

/** Every leaf in the order of the file enters the MAC, whether it was sealed or not; comments do not. */
function walk(node: unknown, keys: readonly string[], opened: Opened): void {
  if (isAlias(node)) throw opened.failed('it holds an alias, which SOPS does not write')
  if (isMap(node)) {
    for (const { key, value } of node.items) {
      const name = isScalar(key) ? String(key.source ?? key.value) : String(key)
      walk(value, [...keys, name], opened)
    }
  } else if (isSeq(node)) for (const item of node.items) walk(item, keys, opened)
  else if (isScalar(node)) leaf(node, keys, opened)
}

function leaf(node: Scalar, keys: readonly string[], { hash, secrets, key, failed }: Opened): void {
  const { value } = node
  if (value === null) return
  if (typeof value !== 'string' || !isSealed(value)) return void hash.update(hashed(node))
  const open = openValue(value, key, keys.map((each) => `${each}:`).join(''))
  if (open === null) throw failed(`the value at ${keys.join('.')} was changed, or stood elsewhere`)
  hash.update(open.bytes)
  const text = open.bytes.toString('utf8')
  delete (node as { source?: string }).source
  if (open.type === 'bool') node.value = text.toLowerCase() === 'true'
  else if (open.type === 'int') node.value = BigInt(text)
  else if (open.type === 'float') node.value = Number(text)
  else {
    node.value = text
    // A text that would read as a number or a boolean in one version of YAML or another stays one.
    node.type = 'QUOTE_DOUBLE'
  }
  // Ports and counts are in every plan: of numbers only long ones are looked for.
  if (open.type === 'str' || open.type === 'bytes' || text.length >= 6) secrets.push(text)
}

/** As Go writes it: `strconv.Itoa`, `FormatFloat(…, 'f', -1, 64)`, `True` and `False`. */
function hashed({ value, source }: Scalar): string {
  if (typeof value === 'boolean') return value ? 'True' : 'False'
  if (typeof value === 'bigint' && source !== undefined && /^[+-]?0[0-7]+$/.test(source))
    return String(Number.parseInt(source, 8))
  return String(value)
}

function checkMac({ mac, lastmodified }: Metadata, { hash, key, failed }: Opened): void {
  const said = openValue(mac, key, lastmodified)
  const is = Buffer.from(hash.digest('hex').toUpperCase())
  if (said && said.bytes.length === is.length && timingSafeEqual(said.bytes, is)) return
  throw failed(
    'its MAC does not fit: a value was added, taken away, moved or changed without sops',
    'Find out who changed it, look at every value, and write it anew with `sops`.',
  )
}

/** Numbers that JSON can hold as they are; others are refused, not rounded. */
function plain(document: Document<Node>): unknown {
  return JSON.parse(
    JSON.stringify(document.toJS(), (_key, value: unknown) =>
      typeof value === 'bigint' && Number.isSafeInteger(Number(value)) ? Number(value) : value,
    ),
  )
}
