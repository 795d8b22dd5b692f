import type { Logger } from 'pino'
import type { Engine } from '../engine/engine.ts'
import type { GitService } from '../git/repository.ts'
import type { DataKeys } from '../store/database/keys.ts'
import type { Store } from '../store/open.ts'
import type { ChangeHub } from './events/hub.ts'
import type { App } from './auth/http-types.ts'
import type { LoginLinks } from './auth/login-links.ts'
import type { Refusals } from './auth/refusals.ts'
import type { Metrics } from './metrics.ts'
import type { MakeBackup } from './backup.ts'

/** What routes are built from; use cases take `engine.parts`. Each route module takes the members it needs (`Pick<ServerParts, …>`). */
export interface ServerParts {
  store: Store
  git: GitService
  keys: DataKeys
  engine: Engine
  logger: Logger
  metrics: Metrics
  events: ChangeHub
  backup: MakeBackup
  links: LoginLinks
  refusals: Refusals
  /** Existing directory where a push leaves its push file. */
  pushSpool: string
  /** Public address, no slash at the end; known once the server listens. */
  publicUrl(): string
  /** False while the server starts or shuts down: /readyz says so, and load balancers go elsewhere. */
  ready(): boolean
  startedAt: number
}

/** One file of routes: takes the parts, registers its routes. */
export type RouteModule<Needs extends keyof ServerParts = keyof ServerParts> = (
  app: App,
  parts: Pick<ServerParts, Needs>,
) => void
