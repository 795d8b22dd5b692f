import type { FastifyRequest, RouteOptions } from 'fastify'
import type { App, RouteAction } from './http-types.ts'
import { ACTIONS, authorize, needsRepository, repositoryNotFound, type Action, type Principal } from './permissions.ts'
import { unusableError } from '../../engine/unusable/unusable.ts'
import type { WorkerProof } from '../../domain/wire/request-proof.ts'
import type { Role } from '../../domain/roles.ts'
import { TrueupError } from '../../lib/errors/error.ts'

export interface EnforcementPorts {
  /** The person behind the request's credentials; UNAUTHENTICATED where there are none or they do not count. */
  authenticate(request: FastifyRequest): Promise<Principal>
  /** The worker behind the request's signed token. */
  authenticateWorker(request: FastifyRequest): Promise<WorkerProof>
  /** `damage`: why it is not served, where its Git directory is damaged. */
  findRepository(
    by: { name: string } | { id: string },
  ): Promise<{ id: string; name: string; defaultBranch: string; damage: string | null } | null>
  roleIn(repositoryId: string, userId: string): Promise<Role | null>
  /** Hears of every refusal; `principal` where it is known who asked. */
  refused(request: FastifyRequest, thrown: unknown, principal: Principal | null): void
  /** Parameters of paths that may be the beginning of an id. */
  readonly shortIds: readonly string[]
  /** At most two ids of that kind of thing that begin so; none where the text is whole. */
  idsBeginning(what: string, text: string): Promise<string[]>
}

/**
 * Makes authorisation unavoidable: a route that does not declare its action (or declares one about a repository without
 * saying which) is refused when it is registered, and no handler runs before the declared action was allowed.
 */
export function enforcePermissions(app: App, ports: EnforcementPorts): void {
  app.decorateRequest('principal', null)
  app.decorateRequest('repository', null)
  app.decorateRequest('workerId', null)
  app.decorateRequest('workerProof', null)
  app.addHook('onRoute', refuseUndeclared)
  app.addHook('onRequest', async (request) => {
    try {
      await admit(request, ports)
    } catch (thrown) {
      ports.refused(request, thrown, request.principal)
      throw thrown
    }
  })
}

async function admit(request: FastifyRequest, ports: EnforcementPorts): Promise<void> {
  if (request.is404) return
  const action = request.routeOptions.config.action as RouteAction
  if (action === 'public' || action === 'run') return
  if (action === 'worker') {
    request.workerProof = await ports.authenticateWorker(request)
    request.workerId = request.workerProof.workerId
    return
  }
  const principal = await ports.authenticate(request)
  request.principal = principal
  if (principal.owesSecondFactor && !WHILE_OWING.has(action)) throw owing(action)
  await completeIds(request, ports)
  const subject = needsRepository(action) ? await subjectOf(request, principal, ports) : {}
  authorize(principal, action, subject)
  const also = await request.routeOptions.config.also?.(request)
  if (also) authorize(principal, also, subject)
}

/** What whoever has to set up a second factor first may do. */
const WHILE_OWING: ReadonlySet<string> = new Set<Action>([
  'session.read',
  'session.close',
  'second-factor.read',
  'second-factor.enrol',
])

const owing = (action: string): TrueupError =>
  new TrueupError('SECOND_FACTOR_MISSING', {
    doing: `checking the right "${action}"`,
    why: 'this server asks accounts like yours for a second factor, and yours has none',
  })

/** The person of a request whose route has a person's action. */
export function principalOf(request: FastifyRequest): Principal {
  if (!request.principal) throw new Error(`route ${request.routeOptions.url} has no person's action`)
  return request.principal
}

/** The repository of a request whose route has a repository's action. */
export function repositoryOf(request: FastifyRequest): { id: string; name: string; defaultBranch: string } {
  if (!request.repository) throw new Error(`route ${request.routeOptions.url} has no repository's action`)
  return request.repository
}

function refuseUndeclared(route: RouteOptions): void {
  const config = route.config
  const name = `${String(route.method)} ${route.url}`
  const action = config?.action
  if (action === undefined) throw new Error(`${name} declares no action: add config.action`)
  if (action === 'public' || action === 'worker' || action === 'run') return
  if (!(action in ACTIONS)) throw new Error(`${name} declares the unknown action ${String(action)}`)
  if (needsRepository(action as Action) && !config?.repositoryOf && !/:repository\b/.test(route.url)) {
    throw new Error(`${name} has the action ${action} but names no repository: use :repository or config.repositoryOf`)
  }
}

/** Ids may be given by their beginning, as long as only one thing begins so. */
async function completeIds(request: FastifyRequest, ports: EnforcementPorts): Promise<void> {
  const params = request.params as Record<string, string>
  for (const what of ports.shortIds) {
    const given = params[what]
    if (given === undefined) continue
    const [found, another] = await ports.idsBeginning(what, given)
    if (found === undefined) continue
    if (another !== undefined)
      throw new TrueupError('INVALID_REQUEST', {
        doing: `looking for the ${what} ${JSON.stringify(given)}`,
        why: `more than one begins so: ${found}, ${another}`,
        next: 'Give more of it.',
      })
    params[what] = found
  }
}

async function subjectOf(request: FastifyRequest, principal: Principal, ports: EnforcementPorts) {
  const params = request.params as Record<string, string>
  const { repositoryOf: find } = request.routeOptions.config
  const id = find ? await find(params) : null
  if (find && id === null) throw nothingThere(request)
  const named = params.repository ?? ''
  const repository = await ports.findRepository(id === null ? { name: named } : { id })
  if (!repository) throw find ? nothingThere(request) : repositoryNotFound(named)
  const { damage, ...whole } = repository
  request.repository = whole
  const role = await ports.roleIn(repository.id, principal.userId)
  // A thing found by its id must not tell strangers that it exists.
  if (find && role === null && principal.kind !== 'admin') throw nothingThere(request)
  // What is only read is in the database and still there; Git itself is not touched.
  if (damage !== null && role !== null && (request.method !== 'GET' || request.url.startsWith('/git/')))
    throw unusableError(`opening "${repository.name}"`, damage)
  return { repository: { id: repository.id, name: repository.name, role } }
}

function nothingThere(request: FastifyRequest): TrueupError {
  const [kind = 'thing', id = ''] = Object.entries(request.params as Record<string, string>)[0] ?? []
  const why = 'there is none of that id, or you have no role in its repository'
  return new TrueupError('NOT_FOUND', { doing: `looking for the ${kind} ${JSON.stringify(id)}`, why })
}
