import type { Forges } from '../forges/forges.ts'
import type { GitRepository, GitService } from '../git/repository.ts'
import type { SigningKey } from '../git/signing-key.ts'
import type { DataKeys } from '../store/database/keys.ts'
import type { Store } from '../store/open.ts'
import type { Logger } from '../lib/log.ts'
import type { SnapshotCache } from './snapshot/cache.ts'
import type { Turns } from '../lib/take-turns.ts'
import { type Unusable, unusableError } from './unusable/unusable.ts'
import type { Keyrings } from './keyrings/keyring.ts'
import type { WorkerHub } from './worker-hub.ts'

/** What the use cases work with; each function takes the whole and uses what it needs. Holds no logic and no state of its own. */
export interface EngineParts {
  store: Store
  git: GitService
  forges: Forges
  keys: DataKeys
  log: Logger
  snapshots: SnapshotCache
  hub: WorkerHub
  turns: Turns
  unusable: Unusable
  settings: EngineSettings
  /** Signs merges; null where there is none. */
  signingKey: SigningKey | null
  /** Keys whose signatures of commits count. */
  keyrings: Keyrings
  /** Directory of the packs that agents fetch. */
  packs: string
}

export interface EngineSettings {
  /** Lease of a run, milliseconds; a worker renews it three times in that time. */
  leaseMs: number
  /** Public address of the server, no slash at the end; empty until it listens. */
  publicUrl: () => string
  /** What tokens of runs name as their issuer, no slash at the end. */
  issuerUrl: () => string
}

/** The Git of a repository. REPOSITORY_UNUSABLE where it is set aside: what is damaged answers with riddles. */
export function repositoryOf(parts: EngineParts, repositoryId: string): GitRepository {
  const why = parts.unusable.why(repositoryId)
  if (why !== null) throw unusableError('reading the repository', why)
  return parts.git.repository(repositoryId)
}

/** Who did something, as the audit records it: `user:usr_…`, `worker:wrk_…` or `system`. */
export type Actor = string
export const SYSTEM: Actor = 'system'
export const userActor = (userId: string): Actor => `user:${userId}`
export const workerActor = (workerId: string): Actor => `worker:${workerId}`
