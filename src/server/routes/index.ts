import type { RouteModule } from '../parts.ts'
import { auditRoutes } from './audit.ts'
import { backupRoutes } from './backup.ts'
import { canRoutes } from './can.ts'
import { connectionRoutes } from './connections.ts'
import { databaseRoutes } from './database.ts'
import { deliveryRoutes } from './delivery.ts'
import { driftRoutes } from './drift.ts'
import { environmentRoutes } from './environments.ts'
import { eventRoutes } from './events.ts'
import { gitRoutes } from './git.ts'
import { healthRoutes } from './health.ts'
import { issuerRoutes } from './issuer.ts'
import { loginProviderRoutes } from './login-providers.ts'
import { matrixRoutes } from './matrix.ts'
import { memberRoutes } from './members.ts'
import { mergeRequestRoutes } from './merge-requests.ts'
import { mrCommentRoutes } from './mr-comments.ts'
import { mrEditRoutes } from './mr-edits.ts'
import { mrMakerRoutes } from './mr-makers.ts'
import { noticeRoutes } from './notices.ts'
import { orphanRoutes } from './orphans.ts'
import { overviewRoutes } from './overview.ts'
import { quarantineRoutes } from './quarantine.ts'
import { repositoryRoutes } from './repositories.ts'
import { requestRoutes } from './requests.ts'
import { runRoutes } from './runs.ts'
import { serverInfoRoutes } from './server-info.ts'
import { browserSessionRoutes } from './browser-session.ts'
import { secondFactorRoutes } from './second-factor.ts'
import { sessionListRoutes } from './sessions.ts'
import { sessionRoutes } from './session.ts'
import { providerLoginRoutes } from './provider-login.ts'
import { signatureRoutes } from './signatures.ts'
import { stackPartRoutes } from './stack-parts.ts'
import { stackRoutes } from './stacks.ts'
import { stateRoutes } from './states.ts'
import { teamRoutes } from './teams.ts'
import { terraformStateModule } from './terraform-state-mount.ts'
import { tokenRoutes } from './tokens.ts'
import { userRoutes } from './users.ts'
import { variableRoutes } from './variables.ts'
import { webRoutes } from './web.ts'
import { workerWireRoutes } from './workers-wire.ts'
import { packRoutes } from './packs.ts'
import { workerDetailRoutes } from './worker-detail.ts'
import { workerLogRoutes } from './worker-logs.ts'
import { workerRoutes } from './workers.ts'

/** Every file of routes; a new one is a line here. */
export const ROUTES: readonly RouteModule[] = [
  healthRoutes,
  serverInfoRoutes,
  issuerRoutes,
  sessionRoutes,
  sessionListRoutes,
  canRoutes,
  secondFactorRoutes,
  browserSessionRoutes,
  providerLoginRoutes,
  loginProviderRoutes,
  userRoutes,
  teamRoutes,
  tokenRoutes,
  repositoryRoutes,
  signatureRoutes,
  connectionRoutes,
  memberRoutes,
  gitRoutes,
  mergeRequestRoutes,
  mrCommentRoutes,
  mrEditRoutes,
  mrMakerRoutes,
  overviewRoutes,
  matrixRoutes,
  deliveryRoutes,
  environmentRoutes,
  noticeRoutes,
  stackRoutes,
  stackPartRoutes,
  orphanRoutes,
  quarantineRoutes,
  requestRoutes,
  driftRoutes,
  variableRoutes,
  stateRoutes,
  runRoutes,
  eventRoutes,
  auditRoutes,
  workerRoutes,
  workerDetailRoutes,
  workerLogRoutes,
  workerWireRoutes,
  packRoutes,
  backupRoutes,
  databaseRoutes,
  terraformStateModule,
  webRoutes,
]
