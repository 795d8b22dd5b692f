import {
  allowInsecureRequests,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  calculatePKCECodeChallenge,
  ClientSecretPost,
  clockSkew,
  clockTolerance,
  type Configuration,
  discovery,
  enableNonRepudiationChecks,
  fetchUserInfo,
  type IDToken,
  initiateDeviceAuthorization,
  None,
  pollDeviceAuthorizationGrant,
  randomNonce,
  randomPKCECodeVerifier,
  randomState,
} from 'openid-client'
import { z } from 'zod'
import { TrueupError } from '../../lib/errors/error.ts'
import type { DataKeys } from '../../store/database/keys.ts'
import type { Store } from '../../store/open.ts'
import type { LoginProvider } from '../../store/people/login-providers.ts'
import type { KnownPerson } from './admit.ts'

/** What is needed to speak to a provider. */
export interface SpeakingParts {
  store: Store
  keys: DataKeys
}

/** Clocks of two machines may differ by this, in seconds. */
const TOLERANCE = 60
/** Milliseconds. */
const ANSWER_MS = 15_000

export const secretContext = (providerId: string): string => `login-provider:${providerId}`

/** What a login has to remember between its two halves. */
export interface Begun {
  state: string
  nonce: string
  verifier: string
}

/** The address at the provider to which a browser is sent: authorization code, PKCE, state and nonce. */
export async function beginLogin(
  parts: SpeakingParts,
  provider: LoginProvider,
  redirectUri: string,
): Promise<{ url: string; begun: Begun }> {
  return await speaking(provider, async () => {
    const config = await configurationOf(parts, provider)
    const begun = { state: randomState(), nonce: randomNonce(), verifier: randomPKCECodeVerifier() }
    const url = buildAuthorizationUrl(config, {
      redirect_uri: redirectUri,
      scope: provider.scopes,
      state: begun.state,
      nonce: begun.nonce,
      code_challenge: await calculatePKCECodeChallenge(begun.verifier),
      code_challenge_method: 'S256',
    })
    return { url: url.href, begun }
  })
}

/**
 * Who has come back from the provider. openid-client looks at state, `iss` of the answer (RFC 9207), nonce, issuer, audience,
 * times and signature.
 */
export async function endLogin(
  parts: SpeakingParts,
  provider: LoginProvider,
  { begun, cameBack }: { begun: Begun; cameBack: URL },
): Promise<KnownPerson> {
  return await speaking(provider, async () => {
    const config = await configurationOf(parts, provider)
    const answer = await authorizationCodeGrant(config, cameBack, {
      expectedState: begun.state,
      expectedNonce: begun.nonce,
      pkceCodeVerifier: begun.verifier,
      idTokenExpected: true,
    })
    return await personOf(config, provider, answer)
  })
}

/** A login on another device (RFC 8628): where to go and what to type, and the person once they did. */
export async function beginDevice(
  parts: SpeakingParts,
  provider: LoginProvider,
  signal: AbortSignal,
): Promise<{ url: string; code: string; expiresInMs: number; person: Promise<KnownPerson> }> {
  return await speaking(provider, async () => {
    const config = await configurationOf(parts, provider)
    if (config.serverMetadata().device_authorization_endpoint === undefined)
      throw new TrueupError('INVALID_REQUEST', {
        doing: `logging in by ${provider.name}`,
        why: 'this provider has no way to log in on another device',
        next: 'Log in with a browser, and make a token there for the command line (`trueup login --token-stdin`).',
      })
    const order = await initiateDeviceAuthorization(config, { scope: provider.scopes })
    const person = speaking(provider, async () =>
      personOf(config, provider, await pollDeviceAuthorizationGrant(config, order, undefined, { signal })),
    )
    const url = order.verification_uri_complete ?? order.verification_uri
    return { url, code: order.user_code, expiresInMs: order.expires_in * 1000, person }
  })
}

/** Asked anew for each login: keys and addresses of a provider change, and logins are few. */
async function configurationOf({ store, keys }: SpeakingParts, provider: LoginProvider): Promise<Configuration> {
  const { id, issuer, clientId, secretSealed } = provider
  const secret = secretSealed === null ? null : keys.open(secretSealed, secretContext(id)).toString('utf8')
  const metadata = {
    [clockTolerance]: TOLERANCE,
    [clockSkew]: Math.round((store.clock.now() - Date.now()) / 1000),
  }
  const authentication = secret === null ? None() : ClientSecretPost(secret)
  const execute = [enableNonRepudiationChecks, ...(isLoopback(issuer) ? [allowInsecureRequests] : [])]
  return await discovery(new URL(issuer), clientId, metadata, authentication, { execute, timeout: ANSWER_MS / 1000 })
}

/** Asks for what the provider says of itself, so that a wrong address is found when it is given and not at somebody's login. */
export async function checkProvider(provider: LoginProvider): Promise<void> {
  await speaking(provider, async () => {
    const execute = isLoopback(provider.issuer) ? [allowInsecureRequests] : []
    await discovery(new URL(provider.issuer), provider.clientId, {}, None(), { execute, timeout: ANSWER_MS / 1000 })
  })
}

/** Without TLS only what does not leave the machine. */
export const isLoopback = (url: string): boolean =>
  /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(new URL(url).hostname)

const Claims = z.looseObject({
  sub: z.string().min(1).max(500),
  preferred_username: z.string().max(300).optional().catch(undefined),
  email: z.string().max(300).optional().catch(undefined),
})
const Groups = z.array(z.string().max(300)).max(2_000)

type Answer = Pick<Awaited<ReturnType<typeof authorizationCodeGrant>>, 'claims' | 'access_token'>

/** From the ID token; where that does not list the groups, from the provider's page about the person. */
async function personOf(config: Configuration, { groupsClaim }: LoginProvider, answer: Answer): Promise<KnownPerson> {
  const token = answer.claims() as IDToken
  const hasPage = config.serverMetadata().userinfo_endpoint !== undefined
  const more = groupsClaim in token || !hasPage ? {} : await fetchUserInfo(config, answer.access_token, token.sub)
  const claims = Claims.parse({ ...more, ...token })
  return {
    subject: claims.sub,
    groups: Groups.catch([]).parse([claims[groupsClaim] ?? []].flat()),
    ...(claims.preferred_username && { username: claims.preferred_username }),
    ...(claims.email && { email: claims.email }),
  }
}

/** What goes wrong in talking to a provider, in words; what it said stands in the message, tokens and codes never do. */
async function speaking<T>({ name, issuer }: LoginProvider, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (thrown) {
    if (thrown instanceof TrueupError) throw thrown
    const { message, code, cause } = thrown as Error & { code?: string }
    const doing = `logging in by ${name}`
    const why = cause instanceof Error && !message.includes(cause.message) ? `${message} (${cause.message})` : message
    if (code === 'OAUTH_TIMEOUT' || thrown instanceof TypeError || /fetch failed|ECONNREFUSED/.test(why))
      throw new TrueupError('LOGIN_PROVIDER', { doing, why: `${issuer} cannot be asked: ${why}`, cause: thrown })
    throw new TrueupError('LOGIN_REFUSED', { doing, why: `what ${issuer} answered does not do: ${why}`, cause: thrown })
  }
}
