import { createHash, generateKeyPairSync, type KeyObject, randomUUID, sign } from 'node:crypto'

/** A worker's key, made without the code under test. */
export interface TestKey {
  privateKey: KeyObject
  jwk: { kty: string; crv: string; x: string }
}

export function newKey(): TestKey {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const { kty, crv, x } = publicKey.export({ format: 'jwk' })
  return { privateKey, jwk: { kty: kty!, crv: crv!, x: x! } }
}

/** Made by hand from RFC 7515 and RFC 8037, so that the server is not tested with the library it uses. */
export function jwt(key: TestKey, claims: object, header: object = { alg: 'EdDSA' }): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const text = `${part(header)}.${part(claims)}`
  return `${text}.${sign(null, Buffer.from(text), key.privateKey).toString('base64url')}`
}

/** What a worker says of itself and of now, in every proof. `now`: milliseconds. */
export const claims = (workerId: string, more: object = {}, now = Date.now()) => ({
  iss: workerId,
  aud: 'trueup-worker',
  iat: Math.floor(now / 1000),
  exp: Math.floor(now / 1000) + 45,
  jti: randomUUID(),
  ...more,
})

/** A proof of a request with this body. */
export function proof(
  key: TestKey,
  workerId: string,
  { method, path, body }: { method: string; path: string; body?: unknown },
  now?: number,
): string {
  const text = body === undefined ? undefined : JSON.stringify(body)
  const bodySha256 = text === undefined ? undefined : createHash('sha256').update(text).digest('base64url')
  return jwt(key, claims(workerId, { method, path, bodySha256, at: now ?? Date.now() }, now), {
    alg: 'EdDSA',
    kid: key.jwk.x,
  })
}
