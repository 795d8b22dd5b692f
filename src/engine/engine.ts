import { createForges } from '../forges/forges.ts'
import type { GitService } from '../git/repository.ts'
import type { SigningKey } from '../git/signing-key.ts'
import type { Logger } from '../lib/log.ts'
import type { JsonObject } from '../lib/json.ts'
import type { DataKeys } from '../store/database/keys.ts'
import type { Store } from '../store/open.ts'
import { allRepositories, type Repository } from '../store/changes/repositories.ts'
import { announceChanges } from './announce.ts'
import { obeyCommands } from './commands/obey.ts'
import { branchMoved } from './changes/branch-moved.ts'
import { startClock } from './clock.ts'
import { deployBranch } from './deploy/deploy.ts'
import { deployWithNewVariables } from './deploy/redeploy.ts'
import { runEnded } from './deploy/run-ended.ts'
import { commentDeployment } from './merge-requests/deployment-comment.ts'
import { evaluateMergeRequest } from './merge-requests/evaluate.ts'
import { recoverMerges, settleBegunMerge } from './merge-requests/merge.ts'
import { hasNoPlan, previewAll, previewMergeRequest } from './merge-requests/preview.ts'
import type { EngineParts, EngineSettings } from './parts.ts'
import type { Run } from '../store/runs/runs.ts'
import { createRepository, type NewRepository } from './repositories.ts'
import { lookAtForge } from './connections/looks.ts'
import { afterPush, recoverPushes } from './changes/ref-sync.ts'
import { damageOf } from './unusable/examine.ts'
import { createUnusable } from './unusable/unusable.ts'
import { getRepository } from '../store/changes/repositories.ts'
import { lastSeen } from '../store/workers/last-seen.ts'
import { createSnapshotCache } from './snapshot/cache.ts'
import { createKeyrings } from './keyrings/keyring.ts'
import { startTaskLoop, type TaskHandler } from './task-loop.ts'
import { createTurns } from '../lib/take-turns.ts'
import { createWorkerHub } from './worker-hub.ts'
import { createWorkerApi, type WorkerApi } from './worker/worker-api.ts'

export interface EngineOptions {
  store: Store
  git: GitService
  keys: DataKeys
  log: Logger
  settings?: Partial<Pick<EngineSettings, 'leaseMs'>>
  publicUrl: () => string
  /** Issuer of the tokens of runs; the public address where absent. */
  issuerUrl?: string
  /** Directory in which `post-receive` leaves the notices of pushes. */
  pushSpool: string
  /** Signs merges; they are not signed where absent. */
  signingKey?: SigningKey | null
  /** File of signers that count in all repositories. */
  signersFile?: string | undefined
  /** Directory of the packs that agents fetch; made where it does not exist, and what is in it can be made again. */
  packs: string
  /** Hears of every run that has ended, at least once. */
  onRunEnded?: (run: Run) => void
}

export interface Engine {
  parts: EngineParts
  worker: WorkerApi
  /** Ids of the workers that have a channel now. */
  connectedWorkers(): string[]
  createRepository(wish: NewRepository): Promise<Repository>
  /** After every push that Git accepted, or of which only the refs can tell. */
  afterPush(push: Parameters<typeof afterPush>[1]): Promise<void>
  /** Resolves when no follow-up work is due. For tests and shutdown. */
  idle(): Promise<void>
  /** Grants no more leases from now on; what runs may finish. */
  stopLeasing(): void
  close(): Promise<void>
}

/** Long enough for a busy machine, short enough that a dead worker is noticed soon. */
const LEASE_MS = 15_000

/** Starts the engine: recovers what a killed process left, then handles follow-up work, leases and clocks. */
export async function startEngine(options: EngineOptions): Promise<Engine> {
  const { store, git, keys, log } = options
  const { publicUrl, issuerUrl } = options
  const settings: EngineSettings = {
    leaseMs: options.settings?.leaseMs ?? LEASE_MS,
    publicUrl,
    issuerUrl: () => issuerUrl ?? publicUrl(),
  }
  const leasing = { open: true }
  const signingKey = options.signingKey ?? null
  const parts: EngineParts = {
    store,
    git,
    forges: createForges({ store, git, keys, signingKey }),
    keys,
    log,
    settings,
    snapshots: createSnapshotCache(async (id) => (await getRepository(store.db, id))?.forge ?? 'builtin'),
    hub: createWorkerHub(),
    turns: createTurns(),
    unusable: createUnusable(),
    signingKey,
    keyrings: createKeyrings({ file: options.signersFile, own: signingKey }),
    packs: options.packs,
  }
  const usable = await setDamagedAside(parts)
  await recoverMerges(parts)
  await recoverPushes(parts, usable, options.pushSpool)
  const loop = await startTaskLoop(parts, handlersOf(parts, options.onRunEnded))
  const endAnnouncing = announceChanges(parts)
  const clock = startClock(parts, options.pushSpool)
  return {
    parts,
    worker: createWorkerApi(parts, leasing),
    connectedWorkers: () => parts.hub.connected().map(({ workerId }) => workerId),
    createRepository: (wish) => createRepository(parts, wish),
    afterPush: (push) => afterPush(parts, push),
    idle: () => loop.idle(),
    stopLeasing() {
      leasing.open = false
    },
    async close() {
      leasing.open = false
      endAnnouncing()
      await clock.stop()
      await loop.stop()
      await lastSeen(store).flush()
    },
  }
}

/** One damaged repository must not keep the others from being served. Returns the ids of those that are whole. */
async function setDamagedAside(parts: EngineParts): Promise<string[]> {
  const usable: string[] = []
  for (const repository of await allRepositories(parts.store.db)) {
    const why = await damageOf(parts.store, parts.git.repository(repository.id), repository)
    if (why === null) {
      usable.push(repository.id)
      continue
    }
    parts.unusable.setAside(repository.id, why)
    parts.log.error({ repository: repository.name, why }, 'a repository is damaged and not served')
  }
  return usable
}

function handlersOf(parts: EngineParts, onRunEnded: EngineOptions['onRunEnded']): { [kind: string]: TaskHandler } {
  const text = (payload: JsonObject, name: string): string => payload[name] as string
  return {
    'mr.preview': (payload) => previewMergeRequest(parts, text(payload, 'mrId')),
    'mr.retry': (payload) => previewMergeRequest(parts, text(payload, 'mrId'), hasNoPlan),
    'mr.evaluate': (payload) => evaluateMergeRequest(parts, text(payload, 'mrId')),
    'mr.settle': (payload) => settleBegunMerge(parts, text(payload, 'mrId')),
    'branch.moved': (payload) => branchMoved(parts, text(payload, 'repositoryId'), text(payload, 'branch')),
    'mr.all': (payload) => previewAll(parts, text(payload, 'repositoryId')),
    deploy: (payload) => deployBranch(parts, text(payload, 'repositoryId')),
    redeploy: (payload) => deployWithNewVariables(parts, text(payload, 'repositoryId')),
    'forge.command': (payload) => obeyCommands(parts, text(payload, 'mrId')),
    'mr.outcome': (payload) => commentDeployment(parts, text(payload, 'mrId')),
    'forge.look': (payload) => lookAtForge(parts, text(payload, 'repositoryId')),
    'run.ended': (payload) => runEnded(parts, text(payload, 'runId'), onRunEnded),
  }
}
