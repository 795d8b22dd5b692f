import { z } from 'zod'
import { TrueupError } from '../../lib/errors/error.ts'
import type { Change } from '../../store/open.ts'
import { authenticateRequest } from '../auth/authenticate.ts'
import { principalOf } from '../auth/enforce.ts'
import { may, type Principal } from '../auth/permissions.ts'
import { streamChanges } from '../events/stream.ts'
import type { RouteModule } from '../parts.ts'
import { roleIn } from '../../store/people/members.ts'
import { getRepository } from '../../store/changes/repositories.ts'

const TOPICS = [
  'repository',
  'ref',
  'mr',
  'stack',
  'run',
  'log',
  'deployment',
  'drift',
  'worker',
  'freeze',
  'notice',
  'settings',
] as const
/** Streams of one server; each costs a socket and a share of every change. */
const MAX_STREAMS = 5000
/** Of one person: tabs, scripts and what is left of them until it is noticed. */
const MAX_OF_ONE = 50
/** Roles change rarely and every change is asked for; a removed role is noticed after this time, milliseconds. */
const ROLE_CACHE_MS = 5000

/** Changes as they happen, as server-sent events. They are hints: what a thing is now, a GET says. */
export const eventRoutes: RouteModule<'store' | 'events' | 'metrics' | 'publicUrl'> = (app, parts) => {
  const { store, events, metrics, publicUrl } = parts
  const stopping = new AbortController()
  let open = 0
  /** Open ones by person. */
  const streams = new Map<string, number>()
  app.addHook('preClose', async () => stopping.abort())

  app.get(
    '/api/v1/events',
    {
      config: { action: 'event.read' },
      schema: {
        tags: ['events'],
        summary:
          'Server-sent events; Last-Event-ID (or `after`) resumes, an event `reset` says to read everything anew',
        querystring: z.strictObject({
          /** Comma separated; all where absent. */
          topics: z.string().max(200).optional(),
          repository: z.string().max(100).optional(),
          /** Tells what came after this change first: the id of an event, or the `x-trueup-as-of` of an answer. */
          after: z.string().max(100).optional(),
        }),
        headers: z.object({ 'last-event-id': z.string().max(100).optional() }),
      },
    },
    async (request, reply) => {
      const principal = principalOf(request)
      const own = streams.get(principal.userId) ?? 0
      if (own >= MAX_OF_ONE) throw tooMany('TOO_MANY_REQUESTS', `you have ${own} open`)
      if (open >= MAX_STREAMS) throw tooMany('UNAVAILABLE', 'as many are open as this server takes')
      const topics = new Set(request.query.topics?.split(',') ?? TOPICS)
      const maySee = filterFor(principal, request.query.repository)
      reply.hijack()
      open++
      streams.set(principal.userId, own + 1)
      metrics.eventStreams.inc()
      try {
        await streamChanges({
          hub: events,
          response: reply.raw,
          // A browser that comes back knows more than the address that it was given.
          lastEventId: request.headers['last-event-id'] ?? request.query.after,
          maySee: async (change) => topics.has(change.topic) && (await maySee(change)),
          stillAllowed: () =>
            authenticateRequest(store, request, publicUrl()).then(
              () => true,
              () => false,
            ),
          standsOn: [principal.tokenId, principal.userId],
          signal: stopping.signal,
        })
      } finally {
        open--
        const left = (streams.get(principal.userId) ?? 1) - 1
        if (left > 0) streams.set(principal.userId, left)
        else streams.delete(principal.userId)
        metrics.eventStreams.dec()
      }
    },
  )

  function filterFor(principal: Principal, repositoryName: string | undefined) {
    const seen = new Map<string, { until: number; visible: Promise<boolean> }>()
    const look = async (repositoryId: string): Promise<boolean> => {
      const repository = await getRepository(store.db, repositoryId)
      if (!repository || (repositoryName !== undefined && repository.name !== repositoryName)) return false
      const role = await roleIn(store.db, repositoryId, principal.userId)
      return may(principal, 'repository.read', { repository: { id: repositoryId, name: repository.name, role } })
    }
    // What belongs to no repository, or cannot be told whose it is, is no news for members.
    const mayHearOfServer = (topic: string): boolean =>
      topic === 'worker' ? may(principal, 'worker.list') : principal.kind === 'admin' && may(principal, 'user.list')
    return async ({ repositoryId, topic }: Change): Promise<boolean> => {
      if (repositoryId === undefined) return repositoryName === undefined && mayHearOfServer(topic)
      const now = Date.now()
      const known = seen.get(repositoryId)
      if (known && known.until > now) return known.visible
      const visible = look(repositoryId)
      seen.set(repositoryId, { until: now + ROLE_CACHE_MS, visible })
      return visible
    }
  }
}

const tooMany = (code: 'TOO_MANY_REQUESTS' | 'UNAVAILABLE', why: string): TrueupError =>
  new TrueupError(code, { doing: 'opening an event stream', why, next: 'Close some, or try again later.' })
