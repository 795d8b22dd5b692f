import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { decodeJwt, exportJWK, generateKeyPair, importJWK, type JWK, type JWTPayload, SignJWT } from 'jose'
import { Provider } from 'oidc-provider'

/** A person of the provider, by subject. */
export interface ProviderPerson {
  preferred_username: string
  groups: string[]
}

/** A real OpenID Connect provider on loopback, at which the one who is `present` logs in by opening a page. */
export interface TestProvider {
  issuer: string
  people: Map<string, ProviderPerson>
  /** Subject of whoever sits before the browser. */
  present: string
  /** What becomes of ID tokens on their way out: other claims, or the key of somebody else. */
  tamper: ((claims: JWTPayload) => { claims: JWTPayload; foreignKey?: boolean }) | null
  /** A restart with new keys and nothing else. */
  rotateKeys(): Promise<void>
  stop(): Promise<void>
}

export const CLIENT = { id: 'trueup', secret: 'a secret of the client for the tests' }

export async function startTestProvider(redirectUris: string[]): Promise<TestProvider> {
  let handle: ReturnType<Provider['callback']> = () => Promise.resolve()
  const server = createServer((request, response) => void handle(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

  async function open(): Promise<void> {
    const [own, foreign] = [await newKey(), await newKey()]
    const provider = new Provider(issuer, {
      clients: [
        {
          client_id: CLIENT.id,
          client_secret: CLIENT.secret,
          redirect_uris: redirectUris,
          grant_types: ['authorization_code', 'urn:ietf:params:oauth:grant-type:device_code'],
          token_endpoint_auth_method: 'client_secret_post',
        },
      ],
      jwks: { keys: [own as never] },
      cookies: { keys: ['for the tests'] },
      claims: { openid: ['sub'], profile: ['preferred_username', 'groups'] },
      conformIdTokenClaims: false,
      features: {
        devInteractions: { enabled: false },
        deviceFlow: {
          enabled: true,
          userCodeConfirmSource: async (context, form) => void (context.body = form),
          successSource: async (context) => void (context.body = 'done'),
        },
      },
      interactions: { url: (_context, interaction) => `/interaction/${interaction.uid}` },
      findAccount: (_context, accountId) => ({
        accountId,
        claims: async () => ({ sub: accountId, ...self.people.get(accountId) }),
      }),
      async loadExistingGrant({ oidc }) {
        const grant = new oidc.provider.Grant({ clientId: oidc.client!.clientId, accountId: oidc.session!.accountId! })
        grant.addOIDCScope('openid profile email')
        await grant.save()
        return grant
      },
    })
    provider.use(async (context, next) => {
      await next()
      const body = context.body as { id_token?: string } | undefined
      if (context.path !== '/token' || !self.tamper || body?.id_token === undefined) return
      const { claims, foreignKey } = self.tamper(decodeJwt(body.id_token))
      const signed = new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid: own.kid! })
      body.id_token = await signed.sign(await importJWK(foreignKey ? foreign : own, 'RS256'))
    })
    const callback = provider.callback()
    handle = async (request, response) => {
      if (!request.url?.startsWith('/interaction/')) return await callback(request, response)
      await provider.interactionFinished(request, response, { login: { accountId: self.present } })
    }
  }

  const self: TestProvider = {
    issuer,
    people: new Map(),
    present: '',
    tamper: null,
    rotateKeys: open,
    async stop() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  await open()
  return self
}

async function newKey(): Promise<JWK> {
  const { privateKey } = await generateKeyPair('RS256', { extractable: true })
  const kid = Math.random().toString(36).slice(2)
  return { ...(await exportJWK(privateKey)), kid, alg: 'RS256', use: 'sig' }
}

/** A browser: cookies and redirects, nothing more. */
export function openBrowser() {
  const cookies = new Map<string, string>()
  async function once(
    url: string,
    init: { method?: string; body?: string; headers?: Record<string, string> } = {},
  ): Promise<Response> {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const answer = await fetch(url, { redirect: 'manual', ...init, headers: { cookie, ...init.headers } })
    for (const line of answer.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line)!
      if (value === '' || /expires=Thu, 01 Jan 1970|max-age=0/i.test(line)) cookies.delete(name!)
      else cookies.set(name!, value!)
    }
    return answer
  }
  return {
    cookies,
    once,
    /** Follows redirects until `stop` says so of an address, or there is none; answers with the addresses, in order. */
    async visit(
      url: string,
      stop: (address: URL) => boolean = () => false,
    ): Promise<{ at: URL; answer: Response | null }> {
      let at = new URL(url)
      for (let step = 0; step < 20; step++) {
        if (stop(at)) return { at, answer: null }
        const answer = await once(at.href)
        const next = answer.headers.get('location')
        if (next === null) return { at, answer }
        at = new URL(next, at)
      }
      throw new Error(`too many redirects, last to ${at.href}`)
    },
  }
}
