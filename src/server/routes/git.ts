import type { FastifyReply, FastifyRequest } from 'fastify'
import { recordPush } from '../../engine/changes/pushers.ts'
import { afterPush, asksForMergeRequest } from '../../engine/changes/ref-sync.ts'
import { newPushFile, writeAsked } from '../../git/push-file.ts'
import { listMergeRequests } from '../../store/changes/merge-requests.ts'
import { principalOf, repositoryOf } from '../auth/enforce.ts'
import { handleGitHttp } from '../git-http.ts'
import type { RouteModule } from '../parts.ts'

/** https://git-scm.com/docs/http-protocol: one request that discovers refs, then one or more to a service. */
const EXCHANGES = [
  { method: 'GET', path: '/info/refs', action: 'git.read' },
  { method: 'POST', path: '/git-upload-pack', action: 'git.read' },
  { method: 'POST', path: '/git-receive-pack', action: 'git.push' },
] as const

/** They travel in the environment of a process, which must stay small. */
const HINTED_MRS = 100

/** Git smart HTTP at `/git/NAME.git`: checks the right, hands the raw streams to git, tells the engine what was pushed. */
export const gitRoutes: RouteModule<'git' | 'engine' | 'metrics' | 'pushSpool'> = (app, parts) => {
  void app.register(async (scope) => {
    // Packs are streams of any size and type: nothing may parse or buffer them.
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', (_request, _payload, done) => done(null))
    for (const { method, path, action } of EXCHANGES) {
      scope.route({
        method,
        url: `/git/:repository.git${path}`,
        // Discovery for a push is a push: refusing it here lets git say so before it packs anything.
        config: { action, also: (request) => (serviceOf(request, path) === 'git-receive-pack' ? 'git.push' : null) },
        schema: { hide: true } as object,
        handler: (request, reply) => serve(request, reply, path),
      })
    }
  })

  async function serve(request: FastifyRequest, reply: FastifyReply, path: string): Promise<void> {
    const principal = principalOf(request)
    const repository = repositoryOf(request)
    const service = serviceOf(request, path)
    const user = { id: principal.userId, name: principal.name }
    const by = { repositoryId: repository.id, userId: user.id }
    const pushFile = newPushFile(parts.pushSpool)
    reply.hijack()
    if (service === 'git-receive-pack' && (await isElsewhere(repository.id)))
      return refuse(reply, `"${repository.name}" is a mirror of another forge: push there, Trueup follows.`)
    try {
      const { pushed, uncertain } = await handleGitHttp(request.raw, reply.raw, {
        service: parts.git,
        repositoryId: repository.id,
        user,
        path,
        pushFile,
        protectedRefs: [`refs/heads/${repository.defaultBranch}`],
        allowBootstrap: true,
        beforePush: async ({ updates, options }) => {
          await recordPush(parts.engine.parts, by, updates)
          if (asksForMergeRequest(options)) await writeAsked(pushFile, { ...by, updates, options })
        },
        openMergeRequests: path === '/git-receive-pack' ? await openMergeRequests(repository.id) : [],
      })
      parts.metrics.gitRequests.inc({ service, outcome: uncertain ? 'broken' : 'served' })
      if (pushed || uncertain) await afterPush(parts.engine.parts, { ...by, pushFile, pushed })
    } catch (error) {
      parts.metrics.gitRequests.inc({ service, outcome: 'failed' })
      request.log.error({ err: error, repository: repository.name, service }, 'git exchange failed')
      if (!reply.raw.headersSent) reply.raw.writeHead(500, { 'content-type': 'text/plain' })
      reply.raw.end()
    }
  }

  /** What was pushed here would be gone with the next look at the forge. */
  async function isElsewhere(repositoryId: string): Promise<boolean> {
    return (await parts.engine.parts.forges.of(repositoryId)).name !== 'builtin'
  }

  /** For the words that a pusher reads. Beyond the newest ones a push is simply not commented. */
  async function openMergeRequests(repositoryId: string): Promise<{ branch: string; number: number }[]> {
    const filter = { repositoryId, states: ['open' as const] }
    const { items } = await listMergeRequests(parts.engine.parts.store.db, filter, { limit: HINTED_MRS })
    return items.map(({ sourceBranch, number }) => ({ branch: sourceBranch, number }))
  }
}

function refuse(reply: FastifyReply, why: string): void {
  reply.raw.writeHead(403, { 'content-type': 'text/plain' })
  reply.raw.end(`${why}\n`)
}

function serviceOf(request: FastifyRequest, path: string): string {
  const asked = path === '/info/refs' ? (request.query as { service?: unknown }).service : path.slice(1)
  return asked === 'git-receive-pack' ? 'git-receive-pack' : 'git-upload-pack'
}
