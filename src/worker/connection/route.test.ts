import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { startPeer, type WorkerPeer } from '../../../test/worker-peer/peer.ts'
import { certify, makeAuthority, type Certified } from './testing/certificates.ts'
import { startProxy, startTerminator } from './testing/way.ts'
import type { Logger } from '../logging.ts'
import { SELF } from '../../domain/wire/versions.ts'
import { loadIdentity } from '../identity.ts'
import { openLink } from './connect.ts'
import { enrol, httpClient } from './http.ts'
import { openRoute, type Route, type RouteOptions } from './route.ts'

/** An address of this machine that no rule about `localhost` knows. */
const HOST = '127.0.0.2'
const PASSWORD = 'pass:w@rd-of-the-proxy'

let directory = ''
let ours: Certified
let theirs: Certified
let client: Certified
let peer: WorkerPeer
let terminator: Awaited<ReturnType<typeof startTerminator>>
let proxy: Awaited<ReturnType<typeof startProxy>>
let served: Certified
const ends: (() => Promise<unknown>)[] = []
const log: string[] = []
const note = (...words: unknown[]) => void log.push(JSON.stringify(words))
const logger = { debug: note, info: note, warn: note, error: note } as unknown as Logger
const at = (name: string) => join(directory, name)

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'trueup-route-'))
  ours = makeAuthority(directory, 'ours')
  theirs = makeAuthority(directory, 'theirs')
  served = certify(directory, ours, 'server', HOST)
  client = certify(directory, theirs, 'worker')
  writeFileSync(at('proxy-credentials'), `ada:${PASSWORD}\n`)
})
afterAll(() => rmSync(directory, { recursive: true, force: true }))
beforeEach(async () => {
  log.length = 0
  peer = await startPeer()
  const tls = { cert: readFileSync(served.cert), key: readFileSync(served.key) }
  terminator = await startTerminator(Number(new URL(peer.url).port), HOST, tls)
  proxy = await startProxy(`ada:${PASSWORD}`)
  ends.push(
    () => proxy.close(),
    () => terminator.close(),
    () => peer.close(),
  )
})
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

const server = () => `https://${HOST}:${terminator.port}`
function route(options: RouteOptions, env: NodeJS.ProcessEnv = {}): Route {
  const made = openRoute(server(), options, logger, env)
  ends.push(() => made.close())
  return made
}
const throughProxy = (more: RouteOptions = {}): RouteOptions => ({
  proxy: `http://127.0.0.1:${proxy.port}`,
  proxyCredentials: at('proxy-credentials'),
  ca: [ours.cert],
  ...more,
})

/** Enrols and connects; resolves with how. */
async function connected(way: Route): Promise<string> {
  const identity = await loadIdentity(at(`identity-${Math.random()}.json`))
  const wish = { token: peer.enrolment, name: 'n', kind: 'runner' as const, publicKey: identity.publicKey }
  await identity.enrolled(await enrol(server(), wish, way))
  const http = httpClient(server(), identity, way)
  const welcome = Promise.withResolvers<void>()
  const link = openLink({
    http,
    identity,
    transport: 'auto',
    log: logger,
    hello: () => ({ ...SELF('0'), hostname: 'h', pools: [], slots: 1, holding: [] }),
    onWelcome: () => welcome.resolve(),
    onEvent: () => {},
    enrolAgain: async () => false,
  })
  ends.push(() => link.close())
  await welcome.promise
  await link.deliver('lease', { request: 'a' })
  return peer.calls.at(-1)!.via
}
const refusalOf = async (way: Route): Promise<{ code: string; message: string }> => {
  const { publicKey } = await loadIdentity(at(`identity-${Math.random()}.json`))
  const wish = { token: peer.enrolment, name: 'n', kind: 'runner' as const, publicKey }
  return await enrol(server(), wish, way).then(
    () => ({ code: 'none', message: 'it went through' }),
    (error: { code: string; message: string }) => error,
  )
}

it('goes through a proxy that asks for credentials, requests and socket, and tells nobody the password', async () => {
  expect(await connected(route(throughProxy()))).toBe('websocket')
  expect(new Set(proxy.asked)).toEqual(new Set([`${HOST}:${terminator.port}`]))
  expect(proxy.asked.length).toBeGreaterThanOrEqual(2)
  writeFileSync(at('wrong-credentials'), 'ada:wrong-secret\n')
  const refused = await refusalOf(route(throughProxy({ proxyCredentials: at('wrong-credentials') })))
  expect(refused.code).toBe('SERVER_UNREACHABLE')
  expect(refused.message).toContain(`proxy http://127.0.0.1:${proxy.port}`)
  expect(refused.message).toContain('407')
  const told = log.join('\n') + refused.message
  for (const secret of [PASSWORD, encodeURIComponent(PASSWORD), 'wrong-secret']) expect(told).not.toContain(secret)
})

it('takes the proxy from the environment, except for what NO_PROXY names and this machine itself', async () => {
  const env = { HTTPS_PROXY: `http://ada:${encodeURIComponent(PASSWORD)}@127.0.0.1:${proxy.port}` }
  expect(await connected(route({ ca: [ours.cert] }, env))).toBe('websocket')
  const before = proxy.asked.length
  expect(before).toBeGreaterThan(0)
  for (const NO_PROXY of [HOST, '*', `other.example.org,${HOST}:${terminator.port}`])
    expect(await connected(route({ ca: [ours.cert] }, { ...env, NO_PROXY })), NO_PROXY).toBe('websocket')
  expect(await connected(route({ ca: [ours.cert], proxy: null }, env))).toBe('websocket')
  expect(proxy.asked.length).toBe(before)
  const own = openRoute(peer.url, {}, logger, { HTTP_PROXY: env.HTTPS_PROXY })
  ends.push(() => own.close())
  const { publicKey } = await loadIdentity(at('identity-own.json'))
  await enrol(peer.url, { token: peer.enrolment, name: 'n', kind: 'runner', publicKey }, own)
  expect(proxy.asked.length).toBe(before)
})

it('believes the authorities of its files, several, and new ones without a restart', async () => {
  expect((await refusalOf(route({}))).message).toContain('certificate')
  expect((await refusalOf(route({ ca: [theirs.cert] }))).message).toContain('certificate')
  copyFileSync(ours.cert, at('rotated.pem'))
  const way = route({ ca: [theirs.cert, at('rotated.pem')] })
  expect(await connected(way)).toBe('websocket')

  const next = makeAuthority(directory, 'next')
  const fresh = certify(directory, next, 'server-next', HOST)
  terminator.setCertificate({ cert: readFileSync(fresh.cert), key: readFileSync(fresh.key) })
  // What stands was believed when it was made.
  terminator.cut()
  // Half a file is no reason to forget what is known.
  writeFileSync(at('rotated.pem'), 'nothing of use')
  expect((await refusalOf(way)).message).toContain('certificate')
  expect(log.join('\n')).toContain('stay what they were')
  copyFileSync(next.cert, at('rotated.pem'))
  expect(await connected(way)).toBe('websocket')
})

it('shows the certificate of the worker to a terminator that asks for it, through the proxy too', async () => {
  const tls = { cert: readFileSync(served.cert), key: readFileSync(served.key) }
  await terminator.close()
  const asking = { ...tls, ca: readFileSync(theirs.cert), requestCert: true, rejectUnauthorized: true }
  terminator = await startTerminator(Number(new URL(peer.url).port), HOST, asking)
  expect((await refusalOf(route({ ca: [ours.cert] }))).code).toBe('SERVER_UNREACHABLE')
  const stranger = certify(directory, ours, 'stranger')
  const wrong = await refusalOf(route({ ca: [ours.cert], clientCertificate: stranger }))
  expect(wrong.code).toBe('SERVER_UNREACHABLE')
  expect(await connected(route({ ca: [ours.cert], clientCertificate: client }))).toBe('websocket')
  expect(await connected(route(throughProxy({ clientCertificate: client })))).toBe('websocket')
})

it.each([
  ['a missing file', { ca: ['/nowhere/ca.pem'] }, '/nowhere/ca.pem'],
  ['no certificate', { ca: ['key'] }, 'holds no certificate'],
  ['a key of something else', { clientCertificate: { cert: 'worker.pem', key: 'ours.key' } }, 'worker.pem'],
  ['credentials without a colon', { proxy: 'http://p:1', proxyCredentials: 'worker.pem' }, 'user:password'],
  ['an address that is none', { proxy: 'proxy.example.org' }, 'no URL'],
] as const)('refuses to start with %s', (_what, given, words) => {
  if ('ca' in given && given.ca[0] === 'key') writeFileSync(at('key'), 'x')
  const placed = (name: string) => (name.startsWith('/') ? name : at(name))
  const options: RouteOptions = {
    ...('proxy' in given && { proxy: given.proxy }),
    ...('proxyCredentials' in given && { proxyCredentials: placed(given.proxyCredentials) }),
    ...('ca' in given && { ca: given.ca.map(placed) }),
    ...('clientCertificate' in given && {
      clientCertificate: { cert: placed(given.clientCertificate.cert), key: placed(given.clientCertificate.key) },
    }),
  }
  expect(() => openRoute('https://trueup.example.org', options, logger, {})).toThrow(words)
})
