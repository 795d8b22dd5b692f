import type {
  FastifyBaseLogger,
  FastifyInstance,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify'
import type { WorkerProof } from '../../domain/wire/request-proof.ts'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import type { Action, Principal } from './permissions.ts'

/** A Fastify instance whose routes are typed by their zod schemas. */
export type App = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  ZodTypeProvider
>

/** Who may use a route: everyone, a worker by its signed token, a run by its own credentials, or a person by action. */
export type RouteAction = Action | 'public' | 'worker' | 'run'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Mandatory: a route without one is refused at start-up. */
    action?: RouteAction
    /**
     * Finds the repository that a route concerns where its path holds no `:repository`, from its parameters; null when
     * the thing does not exist (answered as NOT_FOUND).
     */
    repositoryOf?: (params: Record<string, string>) => Promise<string | null>
    /** A further action that this very request needs, decided from its query or from what it is about. */
    also?: (request: FastifyRequest) => Action | null | Promise<Action | null>
    /** The answer holds a secret that must not be kept for a repeat of the request. */
    secretAnswer?: boolean
  }
  interface FastifyRequest {
    /** Set on every route whose action is a person's. */
    principal: Principal | null
    /** Set on routes about one repository. */
    repository: { id: string; name: string; defaultBranch: string } | null
    /** Id of the newest change when it came; empty where nothing is read. */
    asOf: string
    /** Set on routes of workers. */
    workerId: string | null
    workerProof: WorkerProof | null
  }
}
