import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyReply } from 'fastify'
import { z } from 'zod'
import { asTrueupError, TrueupError } from '../../lib/errors/error.ts'
import { findLoginProvider, listLoginProviders, type LoginProvider } from '../../store/people/login-providers.ts'
import { newToken } from '../auth/token.ts'
import type { RouteModule } from '../parts.ts'
import { Name } from '../schemas/common.ts'
import { DeviceAnswer, DeviceLogin, LoginWays } from '../schemas/login-providers.ts'
import { admit } from '../sso/admit.ts'
import { createBegunLogins, LOGIN_MS } from '../sso/begun.ts'
import { beginDevice, beginLogin, endLogin } from '../sso/provider.ts'
import { openLogin } from './logins.ts'
import { showToken } from './show.ts'

/** Groups are looked at when somebody logs in, so that has to happen again before long. */
const SESSION_MS = 12 * 3_600_000
const TOKEN_MS = 7 * 24 * 3_600_000
const RATE = { max: 60, timeWindow: '1 minute' }
/** Logins of other devices that are waited for at a time. */
const DEVICES_AT_MOST = 200
/** How long one look at such a login waits for its end. Milliseconds. */
const LOOK_MS = 10_000

export const callbackOf = (publicUrl: string, provider: string): string =>
  `${publicUrl}/api/v1/login/${encodeURIComponent(provider)}/callback`

type User = Awaited<ReturnType<typeof admit>>

/** Log in at an OpenID Connect provider: a browser by authorization code, a command line by the device flow. */
export const providerLoginRoutes: RouteModule<
  'store' | 'keys' | 'publicUrl' | 'links' | 'metrics' | 'logger' | 'refusals'
> = (app, parts) => {
  const { store, publicUrl, links, metrics, logger } = parts
  const begun = createBegunLogins(store.clock)
  const devices = new Map<string, { user: Promise<User>; device: string; stop: () => void }>()
  const open = { tags: ['session'], security: [] }
  const params = z.object({ provider: Name })

  const providerNamed = async (name: string): Promise<LoginProvider> => {
    const provider = await findLoginProvider(store.db, name)
    if (provider) return provider
    throw new TrueupError('NOT_FOUND', { doing: `logging in by "${name}"`, why: 'there is no such login provider' })
  }

  app.get(
    '/api/v1/login/providers',
    {
      config: { action: 'public' },
      schema: { ...open, summary: 'Where one can log in, beside name and password', response: { 200: LoginWays } },
    },
    async () => ({ providers: (await listLoginProviders(store.db)).map(({ name }) => ({ name })) }),
  )

  app.get(
    '/api/v1/login/:provider/start',
    {
      config: { action: 'public', rateLimit: RATE },
      schema: {
        ...open,
        summary: 'Send a browser to the provider',
        params,
        querystring: z.object({ to: z.string().max(2_000).optional() }),
      },
    },
    async (request, reply) => {
      const { provider: name } = request.params
      try {
        const provider = await providerNamed(name)
        const { url, begun: login } = await beginLogin(parts, provider, callbackOf(publicUrl(), name))
        begun.keep({ ...login, provider: name, to: request.query.to ?? '' })
        bind(reply, publicUrl(), login.state)
        return reply.redirect(url)
      } catch (thrown) {
        return refuse(reply, thrown, request.ip)
      }
    },
  )

  app.get(
    '/api/v1/login/:provider/callback',
    {
      config: { action: 'public', rateLimit: RATE },
      schema: { ...open, summary: 'Where the provider sends a browser back to', params },
    },
    async (request, reply) => {
      const { provider: name } = request.params
      try {
        // The address as the provider was told it, whatever proxy is between.
        const cameBack = new URL(callbackOf(publicUrl(), name) + new URL(request.url, 'http://x').search)
        const state = cameBack.searchParams.get('state') ?? ''
        const login = request.cookies[cookieName(publicUrl())] === state ? begun.take(state) : null
        unbind(reply, publicUrl())
        if (login?.provider !== name) throw notBegun(name)
        const provider = await providerNamed(name)
        const user = await admit(store, provider, await endLogin(parts, provider, { begun: login, cameBack }))
        const by = `provider ${name}`
        const { code } = links.make({ userId: user.id, scopes: ['admin'], by, lifeMs: SESSION_MS })
        const to = login.to === '' ? '' : `?to=${encodeURIComponent(login.to)}`
        return reply.redirect(`${publicUrl()}/login${to}#code=${code}`)
      } catch (thrown) {
        return refuse(reply, thrown, request.ip)
      }
    },
  )

  app.post(
    '/api/v1/login/:provider/device',
    {
      config: { action: 'public', rateLimit: { max: 10, timeWindow: '1 minute' }, secretAnswer: true },
      schema: {
        ...open,
        summary: 'Begin to log a command line in: where to go, and what to type there',
        params,
        body: z.strictObject({ device: z.string().min(1).max(100) }),
        response: { 201: DeviceLogin },
      },
    },
    async (request, reply) => {
      const provider = await providerNamed(request.params.provider)
      if (devices.size >= DEVICES_AT_MOST)
        throw new TrueupError('UNAVAILABLE', { doing: 'beginning a login', why: 'too many others are under way' })
      const stop = new AbortController()
      const { person, ...order } = await beginDevice(parts, provider, stop.signal)
      const id = randomBytes(32).toString('base64url')
      const user = person.then((known) => admit(store, provider, known))
      // Whoever began it may never ask again.
      user.catch(() => undefined)
      devices.set(id, { user, device: request.body.device, stop: () => stop.abort() })
      setTimeout(() => forget(id), Math.min(order.expiresInMs, LOGIN_MS) + LOOK_MS).unref()
      return reply.code(201).send({ id, ...order })
    },
  )

  app.post(
    '/api/v1/login/device',
    {
      config: { action: 'public', rateLimit: RATE, secretAnswer: true },
      schema: {
        ...open,
        summary: 'Look at a login that was begun; the answer holds a token for 7 days once it is done',
        body: z.strictObject({ id: z.string().max(100) }),
        response: { 200: DeviceAnswer },
      },
    },
    async (request): Promise<z.infer<typeof DeviceAnswer>> => {
      const { id } = request.body
      const waiting = devices.get(id)
      if (!waiting)
        throw new TrueupError('LOGIN_REFUSED', { doing: 'looking at a login', why: 'it is over, or never began' })
      const over = new AbortController()
      const user = await Promise.race([waiting.user, sleep(LOOK_MS, null, { signal: over.signal, ref: false })])
        .catch((thrown: unknown) => {
          forget(id)
          metrics.logins.inc({ outcome: 'refused' })
          const why = `a provider's login: ${asTrueupError(thrown, 'logging in by a provider').code}`
          parts.refusals.note({ kind: 'login', address: request.ip, why })
          throw thrown
        })
        .finally(() => over.abort())
      if (user === null) return { state: 'waiting' }
      if (!forget(id))
        throw new TrueupError('LOGIN_REFUSED', { doing: 'looking at a login', why: 'somebody has taken its token' })
      const { token, hash } = newToken('user')
      const expiresAt = store.clock.now() + TOKEN_MS
      const login = {
        userId: user.id,
        name: waiting.device,
        hash,
        scopes: ['admin'],
        expiresAt,
        by: 'device',
        kind: 'cli' as const,
        address: request.ip,
        provenAt: null,
      }
      const row = await store.transaction((tx) => openLogin(tx, login))
      metrics.logins.inc({ outcome: 'accepted' })
      return { state: 'done', token, info: showToken(row, user.name) }
    },
  )
  app.addHook('onClose', async () => {
    for (const id of devices.keys()) forget(id)
  })

  function forget(id: string): boolean {
    devices.get(id)?.stop()
    return devices.delete(id)
  }

  /** A browser is shown a page and the code of what went wrong; why is in the log, where no stranger's words become a page. */
  function refuse(reply: FastifyReply, thrown: unknown, address: string) {
    const error = asTrueupError(thrown, 'logging in by a provider')
    metrics.logins.inc({ outcome: 'refused' })
    parts.refusals.note({ kind: 'login', address, why: `a provider's login: ${error.code}` })
    logger.warn(
      { code: error.code, why: error.message, ...(error.code === 'INTERNAL' && { err: thrown }) },
      'login refused',
    )
    return reply.redirect(`${publicUrl()}/login?failed=${error.code}`)
  }
}

const notBegun = (name: string): TrueupError =>
  new TrueupError('LOGIN_REFUSED', {
    doing: `logging in by ${name}`,
    why: 'this browser has not begun that login here, or more than ten minutes ago, or it was finished before',
  })

/** The browser that began a login ends it: nobody is logged in by an address that somebody else sends them. */
const cookieName = (publicUrl: string): string =>
  publicUrl.startsWith('https:') ? '__Host-trueup-login' : `trueup-login-${new URL(publicUrl).port || '80'}`

/** Lax: the provider's answer is a visit from another site. */
const attributes = (publicUrl: string) =>
  ({ httpOnly: true, sameSite: 'lax', path: '/', secure: publicUrl.startsWith('https:') }) as const

const bind = (reply: FastifyReply, publicUrl: string, state: string): void =>
  void reply.setCookie(cookieName(publicUrl), state, { ...attributes(publicUrl), maxAge: LOGIN_MS / 1000 })
const unbind = (reply: FastifyReply, publicUrl: string): void =>
  void reply.clearCookie(cookieName(publicUrl), attributes(publicUrl))
