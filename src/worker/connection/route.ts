import { readFileSync, statSync } from 'node:fs'
import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import { isIP } from 'node:net'
import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls'
import { type Dispatcher, EnvHttpProxyAgent } from 'undici'
import { asTrueupError, TrueupError } from '../../lib/errors/error.ts'
import type { Logger } from '../logging.ts'

/** What lies between a worker and its server. Files are looked at again before each connection. */
export interface RouteOptions {
  /**
   * `http://proxy.example.org:3128`; null: none, whatever the environment says; absent: HTTPS_PROXY, HTTP_PROXY and NO_PROXY,
   * except to this very machine.
   */
  proxy?: string | null
  /** Holds `user:password` for the proxy. */
  proxyCredentials?: string
  /** Certificates (PEM) of authorities that count besides the machine's own. */
  ca?: readonly string[]
  /** Of this worker, for a server or terminator that asks for one (PEM). */
  clientCertificate?: { cert: string; key: string }
}

/** The way to the server: for requests, and for WebSockets. */
export interface Route {
  dispatcher(): Dispatcher
  /** Undefined where Node's own way is right. */
  agent(): HttpAgent | undefined
  /** How errors name what is on the way: ` through the proxy http://proxy:3128`. */
  readonly via: string
  close(): Promise<void>
}

interface Generation {
  dispatcher: Dispatcher
  agent: HttpAgent | undefined
  via: string
}

/** Never by a proxy of the environment: it could not reach them. */
const OWN_MACHINE = ['localhost', '127.0.0.1', '::1']

/**
 * The way to a server. CONFIG_INVALID where a file of it cannot be used; later, when a file has changed for the worse, the
 * worker goes on with what it has and says so.
 */
export function openRoute(server: string, options: RouteOptions, log: Logger, env = process.env): Route {
  const files = [options.proxyCredentials, ...(options.ca ?? []), ...Object.values(options.clientCertificate ?? {})]
  let seen = stamp(files)
  let current = build(server, options, env)

  function latest(): Generation {
    const now = stamp(files)
    if (now === seen) return current
    seen = now
    try {
      const former = current
      current = build(server, options, env)
      // What is under way on it comes to its end.
      void former.dispatcher.close().catch(() => {})
      log.info({}, 'certificates and credentials were read anew')
    } catch (thrown) {
      const { message: why } = asTrueupError(thrown, 'reading certificates and credentials anew')
      log.warn({ why }, 'certificates and credentials stay what they were')
    }
    return current
  }

  return {
    dispatcher: () => latest().dispatcher,
    agent: () => latest().agent,
    get via() {
      return current.via
    },
    close: () => current.dispatcher.close(),
  }
}

function build(server: string, options: RouteOptions, env: NodeJS.ProcessEnv): Generation {
  const isSecure = server.startsWith('https:')
  const tls = tlsOf(options)
  const proxies = proxiesOf(options, env)
  // Only names are sent to the other side (RFC 6066 §3).
  const { hostname } = new URL(server)
  const servername = isIP(hostname.replace(/^\[|\]$/g, '')) ? '' : hostname
  const connect = { ...tls, allowH2: false }
  const dispatcher = new EnvHttpProxyAgent({
    ...proxies.undici,
    connect,
    requestTls: { ...connect, servername },
    allowH2: false,
  })
  const agentOptions = { ...tls, keepAlive: false, proxyEnv: proxies.node }
  return {
    dispatcher,
    agent: isSecure ? new HttpsAgent(agentOptions) : new HttpAgent(agentOptions),
    via: proxies.via,
  }
}

interface Proxies {
  undici: { httpProxy: string; httpsProxy: string; noProxy: string }
  node: NodeJS.ProcessEnv
  via: string
}

/** The same choice for both libraries: undici makes requests, Node's agents the sockets. */
function proxiesOf({ proxy, proxyCredentials }: RouteOptions, env: NodeJS.ProcessEnv): Proxies {
  const given = (...names: string[]): string => names.map((name) => env[name]).find(Boolean) ?? ''
  const withCredentials = (url: string): string => {
    if (url === '' || proxyCredentials === undefined) return url
    const { username, password } = credentialsIn(proxyCredentials)
    const parsed = parsedUrl(url)
    parsed.username = encodeURIComponent(username)
    parsed.password = encodeURIComponent(password)
    return parsed.href
  }
  const fromEnv = proxy === undefined
  const http = fromEnv ? withCredentials(given('http_proxy', 'HTTP_PROXY')) : withCredentials(proxy ?? '')
  const https = fromEnv ? withCredentials(given('https_proxy', 'HTTPS_PROXY')) : http
  const noProxy = fromEnv ? [given('no_proxy', 'NO_PROXY'), ...OWN_MACHINE].filter(Boolean).join(',') : ''
  const shown = https || http
  const origin = shown === '' ? '' : parsedUrl(shown).origin
  return {
    undici: { httpProxy: http, httpsProxy: https, noProxy },
    node: {
      ...(http !== '' && { HTTP_PROXY: http }),
      ...(https !== '' && { HTTPS_PROXY: https }),
      ...(noProxy !== '' && { NO_PROXY: noProxy }),
    },
    via: origin === '' ? '' : ` through the proxy ${origin}`,
  }
}

function parsedUrl(text: string): URL {
  const parsed = URL.parse(text)
  if (parsed && ['http:', 'https:'].includes(parsed.protocol)) return parsed
  throw wrong('the address of the proxy', 'it is no URL such as http://proxy.example.org:3128')
}

function credentialsIn(file: string): { username: string; password: string } {
  const [line = ''] = read(file).toString('utf8').split(/\r?\n/)
  const colon = line.indexOf(':')
  if (colon < 1) throw wrong(file, 'it does not hold user:password in its first line')
  return { username: line.slice(0, colon), password: line.slice(colon + 1) }
}

function tlsOf({ ca = [], clientCertificate }: RouteOptions): { secureContext?: SecureContext } {
  if (ca.length === 0 && !clientCertificate) return {}
  const own = ca.map((file) => ({ file, pem: read(file).toString('utf8') }))
  for (const { file, pem } of own)
    if (!pem.includes('-----BEGIN CERTIFICATE-----')) throw wrong(file, 'it holds no certificate in PEM')
  try {
    return {
      secureContext: createSecureContext({
        ...(own.length > 0 && { ca: [...getCACertificates('default'), ...own.map(({ pem }) => pem)] }),
        ...(clientCertificate && { cert: read(clientCertificate.cert), key: read(clientCertificate.key) }),
      }),
    }
  } catch (cause) {
    if (cause instanceof TrueupError) throw cause
    const files = [...ca, ...Object.values(clientCertificate ?? {})].join(', ')
    throw wrong(files, cause instanceof Error ? cause.message : String(cause))
  }
}

function read(file: string): Buffer {
  try {
    return readFileSync(file)
  } catch (cause) {
    throw wrong(file, (cause as Error).message)
  }
}

const wrong = (what: string, why: string): TrueupError =>
  new TrueupError('CONFIG_INVALID', {
    doing: `reading ${what}`,
    why,
    next: 'docs/concepts/workers.md says what proxies and certificates need.',
  })

/** Changes with any of the files; a missing one is a state of its own. */
const stamp = (files: readonly (string | undefined)[]): string =>
  files
    .map((file) => {
      const stat = file === undefined ? undefined : statSync(file, { throwIfNoEntry: false, bigint: true })
      return stat ? `${stat.ino} ${stat.mtimeNs} ${stat.size}` : '-'
    })
    .join()
