import { exportJWK, generateKeyPair, importJWK, type JSONWebKeySet, type JWK, SignJWT } from 'jose'
import { LONGEST_TOKEN_MS } from '../../domain/stacks/identity.ts'
import { newId } from '../../lib/ids.ts'
import type { JsonObject } from '../../lib/json.ts'
import { appendAudit } from '../../store/audit/audit.ts'
import { nowOf } from '../../store/database/context.ts'
import type { DataKeys } from '../../store/database/keys.ts'
import {
  createIssuerKey,
  dropGoneIssuerKeys,
  type IssuerKey,
  replaceIssuerKeys,
  shownIssuerKeys,
} from '../../store/identity/issuer-keys.ts'
import type { Store } from '../../store/open.ts'

/** What the issuer works with. */
export interface IssuerParts {
  store: Store
  keys: DataKeys
}

/** The one algorithm that every cloud takes; Azure takes no other. */
const ALGORITHM = 'RS256'
/** A new key is shown this long before it signs: Kubernetes reads the keys anew when it meets one, Google and AWS within the hour. */
const AHEAD_MS = 2 * 60 * 60_000
/** A key that is this old is replaced by itself. */
const ROTATE_AFTER_MS = 90 * 24 * 60 * 60_000

const context = (id: string): string => `issuer-key:${id}`

/** Every key that a verifier may meet, as a JWK set. Makes the first key where there is none. */
export async function issuerKeySet(parts: IssuerParts): Promise<JSONWebKeySet> {
  return { keys: (await keysOf(parts)).map(publicPart) }
}

/** A key as people are shown it. */
export interface ShownKey {
  id: string
  createdAt: number
  signsFrom: number
  shownUntil: number | null
  /** It signs now. */
  signs: boolean
}

export async function listIssuerKeys(parts: IssuerParts): Promise<ShownKey[]> {
  const keys = await keysOf(parts)
  const signing = signingKeyOf(keys, parts.store.clock.now())
  return keys.map(({ id, createdAt, signsFrom, shownUntil }) => ({
    id,
    createdAt,
    signsFrom,
    shownUntil,
    signs: id === signing.id,
  }))
}

/**
 * Signs a token. `lifeMs` is cut to `LONGEST_TOKEN_MS`, after which every key that was replaced meanwhile is still shown.
 */
export async function signToken(
  parts: IssuerParts,
  { issuer, audience, lifeMs, claims }: { issuer: string; audience: string[]; lifeMs: number; claims: JsonObject },
): Promise<string> {
  const now = parts.store.clock.now()
  const key = signingKeyOf(await keysOf(parts), now)
  const jwk = JSON.parse(parts.keys.open(key.privateSealed, context(key.id)).toString('utf8')) as JWK
  const seconds = Math.floor(now / 1000)
  return await new SignJWT(claims)
    .setProtectedHeader({ alg: ALGORITHM, kid: key.id, typ: 'JWT' })
    .setIssuer(issuer)
    .setAudience(audience.length === 1 ? audience[0]! : audience)
    .setIssuedAt(seconds)
    .setExpirationTime(seconds + Math.ceil(Math.min(lifeMs, LONGEST_TOKEN_MS) / 1000))
    .setJti(newId('jti', now))
    .sign(await importJWK(jwk, ALGORITHM))
}

/**
 * Puts a new key in the place of the ones before. `now`: it signs at once and they are not shown any more, which ends
 * the tokens that they signed, wherever verifiers look again; else both are shown as long as a token of the old ones may live.
 */
export async function rotateIssuerKeys(parts: IssuerParts, wish: { now: boolean; actor: string }): Promise<void> {
  const made = await makeKey(parts)
  await parts.store.transaction(async (tx) => {
    const at = nowOf(tx)
    const signsFrom = wish.now ? at : at + AHEAD_MS
    const { id } = await createIssuerKey(tx, { ...made, signsFrom })
    await replaceIssuerKeys(tx, id, wish.now ? at : signsFrom + LONGEST_TOKEN_MS)
    await dropGoneIssuerKeys(tx)
    const data = { key: id, now: wish.now }
    await appendAudit(tx, { actor: wish.actor, action: 'issuer.rotate', subject: 'server', data })
  })
}

/** Replaces an old key and takes gone ones away; only where tokens are in use at all. */
export async function tendIssuerKeys(parts: IssuerParts): Promise<void> {
  await parts.store.transaction(dropGoneIssuerKeys)
  const newest = (await shownIssuerKeys(parts.store.db)).at(-1)
  if (newest && newest.createdAt + ROTATE_AFTER_MS <= parts.store.clock.now())
    await rotateIssuerKeys(parts, { now: false, actor: 'system' })
}

/** Never empty. Two that ask at once for the first time agree on the key of whoever was first. */
async function keysOf(parts: IssuerParts): Promise<[IssuerKey, ...IssuerKey[]]> {
  const [first, ...more] = await shownIssuerKeys(parts.store.db)
  if (first) return [first, ...more]
  const made = await makeKey(parts)
  await parts.store.transaction(async (tx) => {
    if ((await shownIssuerKeys(tx)).length === 0) await createIssuerKey(tx, { ...made, signsFrom: nowOf(tx) })
  })
  return await keysOf(parts)
}

/** The newest that has been shown long enough. */
const signingKeyOf = (keys: [IssuerKey, ...IssuerKey[]], now: number): IssuerKey =>
  keys.findLast(({ signsFrom }) => signsFrom <= now) ?? keys[0]

const publicPart = ({ id, public: jwk }: IssuerKey): JWK => ({ ...jwk, kid: id, alg: ALGORITHM, use: 'sig' })

async function makeKey({ keys, store }: IssuerParts): Promise<Pick<IssuerKey, 'id' | 'public' | 'privateSealed'>> {
  const id = newId('key', store.clock.now())
  const { publicKey, privateKey } = await generateKeyPair(ALGORITHM, { modulusLength: 2048, extractable: true })
  const sealed = keys.seal(Buffer.from(JSON.stringify(await exportJWK(privateKey))), context(id))
  return { id, public: (await exportJWK(publicKey)) as JsonObject, privateSealed: sealed }
}
