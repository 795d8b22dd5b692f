import { createPrivateKey, type KeyObject } from 'node:crypto'
import { SignJWT } from 'jose'
import { z } from 'zod'
import type { Clock } from '../../lib/clock.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import { createForgeHttp, type ForgeHttp } from '../remote/http.ts'

/** What a connection to GitHub is made with: a token of an account, or a GitHub App that is installed there. */
export interface Credential {
  /** The token of now; of an App one that GitHub has given for an hour at most. */
  token(): Promise<string>
  app: AppCredential | null
}

export interface AppCredential {
  /** Name of its account: `trueup[bot]`. */
  bot(): Promise<string>
  /** What the installation may: `{ contents: 'write' }`. */
  permissions(): Promise<{ readonly [permission: string]: string }>
}

/** Renewed so long before it ends: requests under way must not outlive it. */
const MARGIN_MS = 5 * 60_000
/** The longest that GitHub takes is ten minutes; a minute of difference between the clocks is allowed for. */
const JWT_LIFE_S = 9 * 60
const SKEW_S = 60

const App = z.object({ id: z.number().int(), slug: z.string() })
const Installation = z.object({ id: z.number().int() })
const AccessToken = z.object({
  token: z.string(),
  expires_at: z.iso.datetime({ offset: true }).transform((text) => Date.parse(text)),
  permissions: z.record(z.string(), z.string()).optional(),
})

/** As it is sealed: a token, or the number of an App, a line end and its private key (PEM). INVALID_REQUEST where it is neither. */
export function credentialOf(
  secret: string,
  at: { api: string; prefix: string; repository: string; clock: Clock },
): Credential {
  const [first = '', ...rest] = secret.trim().split('\n')
  if (rest.length === 0) return { token: async () => first, app: null }
  if (!/^\d{1,20}$/.test(first.trim())) throw unusable('its first line is no number of a GitHub App')
  const key = keyOf(rest.join('\n'))
  const { api, prefix, repository, clock } = at
  const http = createForgeHttp({
    forge: 'GitHub',
    api,
    clock,
    headers: async () => ({ ...HEADERS, authorization: `Bearer ${await jwtOf(first.trim(), key, http)}` }),
    missing: () => null,
  })
  let known: Promise<z.infer<typeof AccessToken>> | null = null
  let endsAt = 0

  async function make(): Promise<z.infer<typeof AccessToken>> {
    const doing = 'asking for a token of the GitHub App'
    const { id } = await http.ask(`${prefix}${repository}/installation`, Installation, { doing })
    const path = `${prefix}/app/installations/${id}/access_tokens`
    const made = await http.ask(path, AccessToken, { doing, method: 'POST', body: {} })
    endsAt = made.expires_at
    return made
  }
  async function current(): Promise<z.infer<typeof AccessToken>> {
    if (known === null || (endsAt > 0 && http.now() > endsAt - MARGIN_MS)) {
      endsAt = 0
      known = make()
      known.catch(() => {
        known = null
      })
    }
    return await known
  }
  return {
    token: async () => (await current()).token,
    app: {
      bot: async () => `${(await http.ask(`${prefix}/app`, App, { doing: 'asking which App this is' })).slug}[bot]`,
      permissions: async () => (await current()).permissions ?? {},
    },
  }
}

export const HEADERS = { accept: 'application/vnd.github+json', 'x-github-api-version': '2022-11-28' }

/** By GitHub's clock: ours may be wrong, and then it takes none of them. */
async function jwtOf(appId: string, key: KeyObject, http: Pick<ForgeHttp, 'now'>): Promise<string> {
  const now = Math.floor(http.now() / 1000)
  return await new SignJWT()
    .setProtectedHeader({ alg: 'RS256' })
    .setIssuer(appId)
    .setIssuedAt(now - SKEW_S)
    .setExpirationTime(now + JWT_LIFE_S)
    .sign(key)
}

function keyOf(pem: string): KeyObject {
  try {
    const key = createPrivateKey(pem)
    if (key.asymmetricKeyType === 'rsa') return key
  } catch {
    // Said below, without anything of the key.
  }
  throw unusable('what follows the number of the GitHub App is no RSA private key in PEM')
}

const unusable = (why: string): TrueupError =>
  new TrueupError('INVALID_REQUEST', {
    doing: 'reading the credentials for GitHub',
    why,
    next: 'Give a token, or the App by --app and --key-file.',
  })
