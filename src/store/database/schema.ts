import type { FormerVariableRow } from './former-variable-row.ts'
import type { NoticeRow } from './notice-row.ts'
import type { PlaceRow } from './place-row.ts'
import type { RunKind, RunState } from '../../domain/runs/run.ts'
import type { AuditTables } from './audit-tables.ts'
import type { ConnectionTables } from './connection-tables.ts'
import type { IdentityTables } from './identity-tables.ts'
import type { RollbackTables } from './rollback-tables.ts'
import type { ServerTables } from './server-tables.ts'
import type { DriftRow } from './drift-row.ts'

/**
 * The tables. Portable to SQLite and PostgreSQL: text ids, integer milliseconds for times, integers 0/1 for booleans,
 * JSON as text (parsed by the named queries, never by callers). Columns ending in `Json` hold canonical JSON.
 */
export interface Database extends RollbackTables, AuditTables, ConnectionTables, IdentityTables, ServerTables {
  meta: { key: string; value: string }
  users: {
    id: string
    name: string
    email: string
    passwordHash: string | null
    /** `admin` may everything; `member` has the roles of `members`. */
    kind: 'admin' | 'member'
    disabledAt: number | null
    createdAt: number
  }
  teams: { id: string; name: string; createdAt: number }
  teamMembers: { teamId: string; userId: string }
  /** SHA-256 of the token only. `scopes`: space separated, see `server/auth`. */
  tokens: {
    id: string
    userId: string
    name: string
    hash: string
    scopes: string
    expiresAt: number | null
    lastUsedAt: number | null
    revokedAt: number | null
    createdAt: number
    /** Null: a token that somebody made; the others are logins. */
    kind: 'browser' | 'cli' | null
    /** Where the login came from. */
    address: string | null
    /** When it last proved the second factor of its account. */
    provenAt: number | null
  }
  repositories: {
    id: string
    name: string
    forge: 'builtin' | 'gitea' | 'gitlab' | 'github'
    defaultBranch: string
    /** Next MR number and next merge sequence, counted per repository. */
    nextMrNumber: number
    nextMergeSequence: number
    /** Key of keyed hashes, sealed with the data key. */
    hashKeySealed: string
    createdAt: number
  }
  /** Role of a user in a repository. */
  members: {
    repositoryId: string
    userId: string
    role: 'reader' | 'contributor' | 'maintainer' | 'deployer' | 'admin'
  }
  /** Refs as last processed; what differs from the Git repository is still to be processed. */
  refs: { repositoryId: string; name: string; oid: string; updatedAt: number }
  /** Who has pushed which commit as the tip of a branch: the names in a commit are the pusher's to choose. */
  pushes: { repositoryId: string; oid: string; userId: string; at: number }
  mergeRequests: {
    id: string
    repositoryId: string
    number: number
    title: string
    description: string
    sourceBranch: string
    targetBranch: string
    headOid: string
    /** Target head that the last preview was made against. */
    targetOid: string
    /** Tree of the merge result, null while conflicting or not computed. */
    mergeTreeOid: string | null
    state: 'open' | 'merging' | 'merged' | 'closed'
    draft: number
    authorId: string
    /** Why this MR exists when Trueup made it: `rollback`, `codify`; null for people's. */
    origin: string | null
    /** What Trueup made it of: the stacks, commits and runs concerned. */
    originDetailJson: string | null
    /** stack key → current preview of it, see `engine/merge-requests/previews.ts`. */
    previewsJson: string | null
    conflictsJson: string | null
    /** Problems that block the MR as a whole (broken trueup.yaml, cycle): list of error bodies. */
    problemsJson: string | null
    /** Merge commit prepared by a merge in progress; found in the target's history after a crash = merged. */
    mergeOid: string | null
    mergeSequence: number | null
    mergedById: string | null
    mergedAt: number | null
    bypassReason: string | null
    /** Whom a maintainer lets vote although commits name them, see `engine/merge-requests/makers.ts`. */
    liftedJson: string | null
    createdAt: number
    updatedAt: number
  }
  reviews: {
    id: string
    mrId: string
    userId: string
    verdict: 'approve' | 'request_changes' | 'comment'
    headOid: string
    /** stack key → plan digest that this approval saw. */
    digestsJson: string
    /** Owned file → what this approval saw there, see `domain/gates/owned-files.ts`; null: it saw none. */
    filesJson: string | null
    body: string
    /** Set when it no longer counts (digest changed, withdrawn, superseded by the same user's newer one). */
    droppedAt: number | null
    droppedReason: string | null
    /** The forge's id of it, where it was given on a forge. */
    remoteId: string | null
    /** When its giver had last proven the second factor; null: never by that login. */
    provenAt: number | null
    createdAt: number
  }
  comments: {
    id: string
    mrId: string
    /** First comment of a thread has threadId = id. */
    threadId: string
    authorId: string | null
    body: string
    path: string | null
    line: number | null
    side: 'old' | 'new' | null
    oid: string | null
    /** Identifies comments that Trueup updates in place (`plan`). */
    marker: string | null
    resolvedById: string | null
    resolvedAt: number | null
    createdAt: number
    updatedAt: number
  }
  stacks: {
    id: string
    repositoryId: string
    environment: string
    name: string
    path: string
    driver: string
    /** Resolved stack at the target branch's head (config, needs, inputs, ignore…), null when orphaned. */
    configJson: string
    /** Desired: what the default branch's head says. */
    desiredCommit: string | null
    desiredDigest: string | null
    /** Deployed: last successful deploy or heal. */
    deployedCommit: string | null
    deployedDigest: string | null
    deployedConfigJson: string | null
    /** Pool of the workers that have what is deployed; null where nothing is. */
    deployedPool: string | null
    deployedAt: number | null
    /** Observed: last finished drift check. */
    observedAt: number | null
    /** What the last look saw: that of the last check, or of the plan of a deployment after it. */
    observedCoverageJson: string | null
    observedChecked: number | null
    observedUnchecked: number | null
    /** How often a run has begun or ended to change the stack. */
    moves: number
    /** Sync status as of the last facts, one word; see `engine/status.ts`. */
    status:
      | 'new'
      | 'in_sync'
      | 'partly_checked'
      | 'pending'
      | 'deploying'
      | 'awaiting_approval'
      | 'drifted'
      | 'failed'
      | 'blocked'
      | 'quarantined'
      | 'unreachable'
      | 'unknown'
      | 'orphaned'
    statusReason: string | null
    /** Set by a failed or lost apply: nothing heals until a deploy succeeds. */
    brokenByRunId: string | null
    nextDriftAt: number | null
    healBackoffJson: string | null
    removedAt: number | null
    createdAt: number
    updatedAt: number
    /** Owners and labels as words that are looked for (`domain/facets.ts`); null of stacks older than the column. */
    facets: string | null
    /** Tools of the last look, in the same form. */
    tools: string | null
  }
  runs: {
    id: string
    stackId: string
    repositoryId: string
    kind: RunKind
    state: RunState
    /** Machine reason of the current state, snake_case. */
    reason: string | null
    message: string | null
    errorJson: string | null
    commitOid: string
    desiredDigest: string
    /** Everything the grant needs, frozen when the run was made (resolved stack, inputs, paths). */
    specJson: string
    mrId: string | null
    mergeSequence: number | null
    pool: string
    /** Programs of which the worker must have one; null: any worker will do. */
    programsJson: string | null
    /** Whose share of the slots it takes: the author's of the MR that it previews, else its repository's. */
    share: string
    /** Higher first: deploy 40, destroy 40, heal 30, preview 20, drift 10. */
    priority: number
    /** Of queued runs: nothing goes before it, see `run-ready.ts`. Kept by the store, never set by callers. */
    ready: number
    planDigest: string | null
    planJson: string | null
    /** `plan.summary`, beside the plan so that lists need not read plans. */
    planSummaryJson: string | null
    checksJson: string | null
    verifyJson: string | null
    resultJson: string | null
    /** Digest that may be applied without asking again (from MR approvals or a run approval). */
    approvedDigest: string | null
    approvedPlanJson: string | null
    approvedById: string | null
    provisional: number
    attempt: number
    retryOfRunId: string | null
    notBefore: number | null
    workerId: string | null
    leaseRequest: string | null
    fence: number
    leaseUntil: number | null
    cancelRequestedAt: number | null
    cancelReason: string | null
    /** Size of the log when the present lease began: the offsets of a worker count from here. */
    logBase: number
    /** Characters (UTF-16 units) received in all leases; what is stored stops at RUN_LOG_LIMIT. */
    logSize: number
    createdAt: number
    /** `moves` of the stack when a worker took the run last. */
    movesSeen: number | null
    startedAt: number | null
    finishedAt: number | null
    updatedAt: number
    /** Ordered by the clock or by an event: on its way it is no news for the audit, only its end is. */
    quiet: number
    /** How many later checks said exactly the same, the last of them when, and of how many the audit has heard. */
    repeats: number
    repeatedAt: number | null
    repeatsTold: number
  }
  /** Whose share was served last in a pool and priority: the next claim looks behind it. */
  queueTurns: { pool: string; priority: number; share: string }
  runDependencies: { runId: string; dependsOnRunId: string }
  runLogs: { runId: string; offset: number; text: string; at: number }
  deployments: {
    id: string
    stackId: string
    repositoryId: string
    runId: string
    mrId: string | null
    kind: 'deploy' | 'heal' | 'destroy'
    commitOid: string
    previousCommitOid: string | null
    desiredDigest: string
    status: 'succeeded' | 'failed'
    summaryJson: string
    actorId: string | null
    finishedAt: number
  }
  /** Outputs of the last successful apply; sensitive values are sealed. */
  outputs: { stackId: string; name: string; valueJson: string; sensitive: number; updatedAt: number }
  driftRecords: DriftRow
  /** Times at which an attribute was healed, for flap detection. */
  heals: { id: string; stackId: string; address: string; attribute: string; at: number }
  places: PlaceRow
  freezes: {
    id: string
    repositoryId: string
    environment: string
    reason: string
    createdById: string
    createdAt: number
    until: number | null
    liftedAt: number | null
  }
  notices: NoticeRow
  /** Write-only values, sealed. `environment`/`stack` null = all; `phase` both|plan|apply. */
  variables: {
    id: string
    repositoryId: string
    environment: string | null
    stack: string | null
    name: string
    phase: 'both' | 'plan' | 'apply'
    secret: number
    valueSealed: string
    version: number
    updatedById: string
    updatedAt: number
  }
  formerVariables: FormerVariableRow
  /** Terraform state, one row a version; the newest is current. */
  stateVersions: {
    id: string
    stackId: string
    workspace: string
    version: number
    lineage: string
    serial: number
    md5: string
    sealed: Uint8Array
    runId: string | null
    actorId: string | null
    createdAt: number
  }
  stateLocks: {
    stackId: string
    workspace: string
    lockId: string
    infoJson: string
    runId: string | null
    userId: string | null
    createdAt: number
  }
  enrolments: {
    id: string
    tokenHash: string
    /** List of pool names. */
    poolsJson: string
    /** Ids of repositories and names of environments whose runs it is given; all where empty. */
    repositoriesJson: string
    environmentsJson: string
    /** For the runner that the server starts itself. */
    builtin: number
    expiresAt: number
    usedAt: number | null
    createdById: string | null
    createdAt: number
  }
  workers: {
    id: string
    name: string
    kind: 'runner' | 'agent'
    /** List of pool names. */
    poolsJson: string
    /** Ids of repositories and names of environments whose runs it is given; all where empty. */
    repositoriesJson: string
    environmentsJson: string
    /** JWK of the Ed25519 public key. */
    publicKeyJson: string
    /** The key before it, which counts until then. */
    formerKeyJson: string | null
    formerKeyUntil: number | null
    /** When the key was made known; null for that of the enrolment. */
    keyChangedAt: number | null
    /** Somebody asked for a new key, and it is not there yet. */
    keyAskedAt: number | null
    infoJson: string
    builtin: number
    lastSeenAt: number | null
    revokedAt: number | null
    createdAt: number
  }
  /** Migrations that have been applied. `breaking`: an older program must not open the data any more. */
  migrations: { number: number; name: string; breaking: number; appliedAt: number }
  idempotencyKeys: {
    key: string
    userId: string
    requestHash: string
    status: number
    responseJson: string
    createdAt: number
  }
}
