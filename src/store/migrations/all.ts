import type { Migration } from './migration.ts'
import { initial } from './0001-initial.ts'
import { observedCounts } from './0002-observed-counts.ts'
import { votes } from './0003-votes.ts'
import { shares } from './0004-shares.ts'
import { formerVariables } from './0005-former-variables.ts'
import { resourceDeeds } from './0006-resource-deeds.ts'
import { places } from './0007-places.ts'
import { stackMoves } from './0008-stack-moves.ts'
import { listIndexes } from './0009-list-indexes.ts'
import { quietChecks } from './0010-quiet-checks.ts'
import { sharedPlaces } from './0011-shared-places.ts'
import { notices } from './0012-notices.ts'
import { workerKeys } from './0013-worker-keys.ts'
import { auditArchives } from './0014-audit-archives.ts'
import { retentionIndexes } from './0015-retention-indexes.ts'
import { searchIndex } from './0016-search-index.ts'
import { driftMakers } from './0017-drift-makers.ts'
import { connections } from './0018-connections.ts'
import { forgeCommands } from './0019-forge-commands.ts'
import { runPrograms } from './0020-run-programs.ts'
import { issuerKeys } from './0021-issuer-keys.ts'
import { commandAnswers } from './0022-command-answers.ts'
import { loginProviders } from './0023-login-providers.ts'
import { workerRouting } from './0024-worker-routing.ts'
import { sessions } from './0025-sessions.ts'
import { secondFactors } from './0026-second-factors.ts'
import { provenReviews } from './0027-proven-reviews.ts'
import { servers } from './0028-servers.ts'

/** In order of their numbers. Never change one that was released: add another. */
export const MIGRATIONS: readonly Migration[] = [
  initial,
  observedCounts,
  votes,
  shares,
  formerVariables,
  resourceDeeds,
  places,
  stackMoves,
  listIndexes,
  quietChecks,
  sharedPlaces,
  notices,
  workerKeys,
  auditArchives,
  retentionIndexes,
  searchIndex,
  driftMakers,
  connections,
  forgeCommands,
  runPrograms,
  issuerKeys,
  commandAnswers,
  loginProviders,
  workerRouting,
  sessions,
  secondFactors,
  provenReviews,
  servers,
]
