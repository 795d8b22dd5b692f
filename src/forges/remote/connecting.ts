import { randomBytes } from 'node:crypto'
import { asTrueupError, TrueupError } from '../../lib/errors/error.ts'
import type { Queries } from '../../store/database/context.ts'
import {
  type Connection,
  connectionOf,
  createConnection,
  deleteConnection,
  findConnection,
  patchConnection,
  takeDelivery,
} from '../../store/forges/connections.ts'
import { enqueueTask } from '../../store/runs/tasks.ts'
import type { ForgeName } from '../forge.ts'
import type { RemoteParts } from './connected.ts'
import { type Adapters, type Reached, type Reaches, tokenContext } from './reach.ts'

type Remote = Exclude<ForgeName, 'builtin'>

/** A repository of a forge as somebody names it. */
export interface Place {
  /** Found out by asking where absent. */
  forge?: Remote | undefined
  /** Address of the repository's page or of its clone: `https://git.example.test/team/shop`. */
  url: string
  token: string
  /** It may be connected already: another token for it. */
  again?: boolean
}

/** What was found there, before anything is written. */
export interface Found {
  forge: Remote
  address: string
  remoteId: string
  path: string
  defaultBranch: string
  bot: { id: string; name: string }
  token: string
}

/** How repositories come to be connected, and what the forge tells by itself. */
export interface Connections {
  /** Asks who the token is and what it may. Errors: INVALID_REQUEST (address), FORGE_*, CONFLICT (connected already). */
  examine(place: Place): Promise<Found>
  /** Writes the connection of a repository that is made in this transaction. */
  write(tx: Queries, repositoryId: string, found: Found, actorId: string): Promise<Connection>
  /** Another token for a connection; of the same repository. */
  replaceToken(tx: Queries, connection: Connection, found: Found): Promise<void>
  /** Makes the webhook with a new secret. Where it may not, the connection says why; looks go on without. */
  hook(repositoryId: string, url: string): Promise<void>
  /** Takes webhook and connection away. Gives why the webhook still stands, or null. */
  remove(repositoryId: string, also: (tx: Queries) => Promise<void>): Promise<string | null>
  /** A delivery of a webhook: orders a look, whatever it says. Errors: NOT_FOUND, UNAUTHENTICATED. */
  deliver(repositoryId: string, headers: { [name: string]: string | string[] | undefined }, body: Buffer): Promise<void>
}

/** What the secret of a connection's webhook is sealed for. */
const hookContext = (repositoryId: string): string => `forge-hook:${repositoryId}`

export function createConnections(parts: RemoteParts, adapters: Adapters, reaches: Reaches): Connections {
  const { store, keys } = parts

  /** The forge as this connection reaches it, and its own words for the repository. */
  async function reach(repositoryId: string, doing: string): Promise<Reached & { connection: Connection }> {
    const connection = await connectionOf(store.db, repositoryId)
    if (!connection) throw new TrueupError('NOT_FOUND', { doing, why: 'this repository is not connected' })
    return { connection, ...reaches.of(connection) }
  }

  return {
    async examine({ forge: named, url, token, again = false }) {
      const doing = `connecting ${url}`
      const { origin, parts: inPath } = placeOf(url, doing)
      const forge = named ?? (await forgeAt(origin))
      if (token.includes('\n') && forge !== 'github') {
        const why = `the key of a GitHub App says nothing to ${forge}`
        throw new TrueupError('INVALID_REQUEST', { doing, why, next: 'Give a token of an account there.' })
      }
      // Gitea may live below a path of its host.
      const below = adapters[forge].groups ? 0 : inPath.length - 2
      const address = [origin, ...inPath.slice(0, below)].join('/')
      const path = inPath.slice(below).map(decodeURIComponent).join('/')
      const api = adapters[forge].api({ address, token, clock: store.clock }, { path })
      const [bot, repository] = [await api.me(), await api.repository()]
      if (repository.missing.length > 0)
        throw new TrueupError('FORGE_PERMISSION', {
          doing,
          why: `the account ${bot.name} may not: ${repository.missing.join(', ')}`,
          details: { missing: repository.missing },
        })
      // Scopes of a token show only when it is used: what a look reads is read once.
      await api.openChanges()
      const known = await findConnection(store.db, address, repository.id)
      if (known && !again)
        throw new TrueupError('CONFLICT', {
          doing,
          why: `it is connected already, as repository ${known.repositoryId}`,
          next: '`trueup repo rotate` gives the connection another token.',
          details: { repositoryId: known.repositoryId },
        })
      const { id: remoteId, path: its, defaultBranch } = repository
      return { forge, address, remoteId, path: its, defaultBranch, bot, token }
    },
    write: (tx, repositoryId, found, actorId) =>
      createConnection(tx, {
        repositoryId,
        forge: found.forge,
        address: found.address,
        remoteId: found.remoteId,
        path: found.path,
        ...accountOf(repositoryId, found),
        hookProblem: 'it has not been made yet',
        nextLookAt: store.clock.now(),
        createdById: actorId,
      }),
    async replaceToken(tx, connection, found) {
      await patchConnection(tx, connection.id, { ...accountOf(connection.repositoryId, found), problem: null })
    },
    async hook(repositoryId, url) {
      const { connection, api } = await reach(repositoryId, 'making a webhook')
      const secret = randomBytes(32).toString('hex')
      // The secret first: a delivery may be quicker than the answer.
      const hookSecretSealed = keys.seal(Buffer.from(secret), hookContext(repositoryId))
      await store.transaction((tx) => patchConnection(tx, connection.id, { hookSecretSealed }))
      const made = await (async () => {
        const { mayHook, path } = await api.repository()
        if (!mayHook) return { hookProblem: `${connection.botName} is no administrator of ${path}` }
        return { hookId: await api.hook(url, secret), hookProblem: null }
      })().catch((thrown: unknown) => ({ hookProblem: asTrueupError(thrown, 'making a webhook').text.why }))
      await store.transaction((tx) => patchConnection(tx, connection.id, made))
    },
    async remove(repositoryId, also) {
      const { connection, api } = await reach(repositoryId, 'disconnecting the repository')
      const left =
        connection.hookId === null
          ? null
          : await api.unhook(connection.hookId).then(
              () => null,
              (thrown: unknown) => asTrueupError(thrown, 'removing the webhook').text.why,
            )
      await store.transaction(async (tx) => {
        await deleteConnection(tx, connection)
        await also(tx)
      })
      reaches.forget(repositoryId)
      return left
    },
    async deliver(repositoryId, headers, body) {
      const doing = 'taking a delivery of a webhook'
      const connection = await connectionOf(store.db, repositoryId)
      if (!connection) throw new TrueupError('NOT_FOUND', { doing, why: 'this repository is not connected' })
      const delivery = adapters[connection.forge].delivery(headers, body)
      const sealed = connection.hookSecretSealed
      const secret = sealed === null ? null : keys.open(sealed, hookContext(repositoryId)).toString('utf8')
      if (!delivery || secret === null || !delivery.isOf(secret)) {
        const why = 'it is not signed with the secret of this webhook'
        throw new TrueupError('UNAUTHENTICATED', { doing, why, next: '`trueup repo rotate` makes the webhook anew.' })
      }
      await store.transaction(async (tx) => {
        if (await takeDelivery(tx, repositoryId, delivery.id))
          await enqueueTask(tx, { kind: 'forge.look', key: repositoryId, payload: { repositoryId } })
      })
    },
  }

  async function forgeAt(origin: string): Promise<Remote> {
    for (const { name, answersAt } of Object.values(adapters)) if (await answersAt(origin)) return name
    return 'gitea'
  }

  function accountOf(repositoryId: string, { bot, token }: Found) {
    const tokenSealed = keys.seal(Buffer.from(token), tokenContext(repositoryId))
    return { botId: bot.id, botName: bot.name, tokenSealed }
  }
}

const LOOPBACK = /^(?:127\.\d+\.\d+\.\d+|\[::1\]|localhost)$/

/** Where it is. INVALID_REQUEST where the address is of no repository, or not safe for a token. `parts`: of its path, escaped. */
function placeOf(text: string, doing: string): { origin: string; parts: string[] } {
  const invalid = (why: string): TrueupError =>
    new TrueupError('INVALID_REQUEST', {
      doing,
      why,
      next: 'Give the address of its page: https://git.example.test/team/shop',
    })
  if (!URL.canParse(text)) throw invalid('it is no URL')
  const url = new URL(text)
  if (url.username !== '' || url.password !== '')
    throw invalid('a token belongs into --token-file, not into the address')
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && LOOPBACK.test(url.hostname)))
    throw invalid('the token is sent by https only (or to this machine itself)')
  const escaped = url.pathname
    .replace(/\/+$/, '')
    .replace(/\.git$/, '')
    .split('/')
    .filter((part) => part !== '')
  for (const part of escaped)
    try {
      decodeURIComponent(part)
    } catch {
      throw invalid(`${part} is no part of an address: a % in it has no two digits behind`)
    }
  if (escaped.length < 2) throw invalid('it names no repository')
  return { origin: url.origin, parts: escaped }
}
