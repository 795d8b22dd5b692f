import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startEngine, type Engine } from '../../engine/engine.ts'
import { createRepository } from '../../engine/repositories.ts'
import { startGitService } from '../../git/service.ts'
import type { Clock } from '../../lib/clock.ts'
import { silentLogger } from '../../lib/log.ts'
import { newId } from '../../lib/ids.ts'
import { REPOSITORIES_DIRECTORY } from '../../store/store.ts'
import { openKeys } from '../../store/database/keys.ts'
import { setMember } from '../../store/people/members.ts'
import { openStore, type Store } from '../../store/open.ts'
import { createToken } from '../../store/people/tokens.ts'
import { createUser } from '../../store/people/users.ts'
import { buildApp, type AppOptions } from '../app.ts'
import type { Role } from '../../domain/roles.ts'
import { createRefusals, type Refusals } from '../auth/refusals.ts'
import { createLoginLinks } from '../auth/login-links.ts'
import { newToken, packScopes } from '../auth/token.ts'
import { createBackups } from '../backup.ts'
import { createChangeHub } from '../events/hub.ts'
import type { App } from '../auth/http-types.ts'
import { createLogger } from '../logging.ts'
import { createMetrics } from '../metrics.ts'

/** The HTTP floor on a real store, real Git, the real engine and a real socket. */
export interface TestServer {
  app: App
  url: string
  store: Store
  dataDir: string
  engine: Engine
  /** A person with a token. */
  refusals: Refusals
  person(name: string, options?: { kind?: 'admin' | 'member'; scopes?: string[]; expiresAt?: number }): Promise<Person>
  repository(name: string, members?: Record<string, Role>): Promise<{ id: string }>
  close(): Promise<void>
}

export interface Person {
  id: string
  name: string
  token: string
  request(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<TestAnswer>
}

export interface TestAnswer {
  status: number
  headers: Headers
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into answers of every shape
  body: any
}

/** `hooks`: more that happens with requests, before they are listened to. */
export async function startTestServer(
  options: { clock?: Clock; app?: AppOptions; hooks?: (app: App) => void } = {},
): Promise<TestServer> {
  const dataDir = await mkdtemp(join(tmpdir(), 'trueup-server-'))
  const store = await openStore(dataDir, { clock: options.clock })
  const keys = await openKeys(dataDir, store.db)
  const git = await startGitService({ root: join(dataDir, REPOSITORIES_DIRECTORY) })
  const events = createChangeHub(store.changes)
  const pushSpool = join(dataDir, 'pushes')
  await mkdir(pushSpool)
  const address = { url: '' }
  const publicUrl = (): string => address.url
  const engine = await startEngine({
    store,
    git,
    keys,
    log: silentLogger,
    publicUrl,
    pushSpool,
    packs: join(pushSpool, 'packs'),
  })
  const logger = createLogger('silent')
  const refusals = createRefusals(store, logger)
  const app = await buildApp(
    {
      store,
      keys,
      git,
      engine,
      logger,
      events,
      pushSpool,
      metrics: createMetrics(),
      backup: createBackups(dataDir),
      links: createLoginLinks(store.clock),
      refusals,
      publicUrl,
      ready: () => true,
      startedAt: store.clock.now(),
    },
    options.app,
  )
  options.hooks?.(app)
  address.url = await app.listen({ host: '127.0.0.1', port: 0 })
  const owner = (
    await createUser(store.db, { name: 'owner', email: 'owner@example.org', kind: 'member', passwordHash: null })
  ).id
  return {
    app,
    refusals,
    url: address.url,
    store,
    dataDir,
    engine,
    async person(name, { kind = 'member', scopes = ['admin'], expiresAt } = {}) {
      const { token, hash } = newToken('user')
      const user = await store.transaction(async (tx) => {
        const created = await createUser(tx, { name, email: `${name}@example.org`, kind })
        await createToken(tx, { userId: created.id, name: newId('t'), hash, scopes: packScopes(scopes), expiresAt })
        return created
      })
      return { id: user.id, name, token, request: (...call) => ask(address.url, token, ...call) }
    },
    async repository(name, members = {}) {
      const repository = await createRepository(engine.parts, { name, defaultBranch: 'main', actorId: owner })
      for (const [userId, role] of Object.entries(members))
        await setMember(store.db, { repositoryId: repository.id, userId, role })
      return repository
    },
    async close() {
      await app.close()
      await refusals.close()
      await engine.close()
      events.close()
      await git.close()
      await store.close()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}

/** One request; JSON in, JSON out where the answer is. */
export async function ask(
  url: string,
  token: string | null,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<TestAnswer> {
  const response = await fetch(url + path, {
    method,
    headers: {
      ...(token !== null && { authorization: `Bearer ${token}` }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    },
    body: body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body),
  })
  const text = await response.text()
  const json = /^application\/json(;|$)/.test(response.headers.get('content-type') ?? '')
  return { status: response.status, headers: response.headers, body: json ? JSON.parse(text) : text }
}
