import { CHANGING_KINDS, PENDING_STATES } from '../../domain/runs/run.ts'
import { wordsOf } from '../../domain/facets.ts'
import { openMergeRequests } from '../../engine/merge-requests/open.ts'
import type { RunSpec } from '../../engine/run-spec.ts'
import { outputsOfStack } from '../../engine/stacks/outputs.ts'
import type { EngineParts } from '../../engine/parts.ts'
import { quarantineOnEach } from '../../engine/stacks/status.ts'
import { whyWaiting } from '../../engine/runs/waiting.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import { type Deployment as DeploymentRow, listDeployments } from '../../store/stacks/deployments.ts'
import { countOpenDrift, listDriftRecords } from '../../store/stacks/drift.ts'
import { listQuarantine, type Quarantined } from '../../store/stacks/quarantine.ts'
import { listRuns } from '../../store/runs/runs.ts'
import { findStack, type Stack as StackRow } from '../../store/stacks/stacks.ts'
import type { Deployment, Stack, StackDetail } from '../schemas/stacks.ts'
import { showDrifts } from './drift-view.ts'
import { namesOf } from './names.ts'
import { showQuarantine } from './quarantine-view.ts'

/** How much of its past a stack's own page has. */
const RECENT = 10

/** The stack that `environment/name` names in a repository, or NOT_FOUND. */
export async function stackOf(
  parts: EngineParts,
  repository: { id: string; name: string },
  key: string,
): Promise<StackRow> {
  const slash = key.indexOf('/')
  const identity = {
    repositoryId: repository.id,
    environment: key.slice(0, Math.max(slash, 0)),
    name: key.slice(slash + 1),
  }
  const stack = slash > 0 ? await findStack(parts.store.db, identity) : undefined
  if (stack) return stack
  throw new TrueupError('NOT_FOUND', {
    doing: `looking up stack "${key}" in ${repository.name}`,
    why: slash > 0 ? 'there is none of that name' : 'a stack is named ENVIRONMENT/NAME',
    next: '`trueup stack list` shows those that there are.',
  })
}

/** Stacks as lists have them. */
export async function showStacks(parts: EngineParts, rows: readonly StackRow[]): Promise<Stack[]> {
  const { db } = parts.store
  const ids = rows.map(({ id }) => id)
  const names = await namesOf(parts, { repositories: rows.map(({ repositoryId }) => repositoryId) })
  const [open, quarantined] = [await countOpenDrift(db, ids), await quarantineOnEach(db, rows)]
  return await Promise.all(
    rows.map((row) =>
      oneOf(parts, row, {
        repository: names.repository(row.repositoryId),
        open: open.get(row.id) ?? 0,
        quarantined: quarantined.get(row.id),
      }),
    ),
  )
}

interface Around {
  repository: string
  /** Records of drift that stand open. */
  open: number
  quarantined: Quarantined | undefined
}

async function oneOf(parts: EngineParts, row: StackRow, around: Around): Promise<Stack> {
  const { repository, open, quarantined } = around
  const { definition } = row.config as unknown as RunSpec
  return {
    id: row.id,
    repository,
    environment: row.environment,
    name: row.name,
    path: row.path,
    driver: row.driver,
    facets: wordsOf(row.facets),
    tools: wordsOf(row.tools),
    state: row.status,
    stateReason: (row.status === 'pending' && (await whyPending(parts, row))) || row.statusReason,
    desired: { commit: row.desiredCommit, digest: row.desiredDigest },
    deployed: { commit: row.deployedCommit, digest: sourceDeployed(row), at: row.deployedAt },
    observed: {
      at: row.observedAt,
      checked: row.observedChecked,
      uncheckedCount: row.observedUnchecked,
      unchecked: row.observedCoverage?.unchecked ?? [],
    },
    drift: { mode: definition.drift.mode, nextCheckAt: row.nextDriftAt, open },
    needs: definition.needs,
    quarantined: quarantined ? await showQuarantine(parts, quarantined) : null,
    brokenBy: row.brokenByRunId,
  }
}

function allowancesOf(row: StackRow): StackDetail['allows'] {
  const { definition } = row.config as unknown as RunSpec
  const { takeOver } = definition.driverConfig
  const isAddress = (each: unknown): each is string => typeof each === 'string'
  return {
    showSecretDiff: definition.showSecretDiff ?? false,
    takeOver: Array.isArray(takeOver) ? takeOver.filter(isAddress) : [],
  }
}

/** What the run that is to change a stack waits for now; null where there is none, or it is about to begin. */
async function whyPending(parts: EngineParts, { id: stackId }: StackRow): Promise<string | null> {
  const filter = { stackId, kinds: CHANGING_KINDS, states: PENDING_STATES }
  const [run] = (await listRuns(parts.store.db, filter, { limit: 1 })).items
  return run ? await whyWaiting(parts, run) : null
}

export async function showStackDetail(parts: EngineParts, row: StackRow): Promise<StackDetail> {
  const { db } = parts.store
  const outputs = await outputsOfStack(db, parts.keys, row.id)
  const quarantine = await listQuarantine(db, { stackId: row.id })
  const drift = await listDriftRecords(db, { stackId: row.id }, { limit: RECENT })
  const deployments = await listDeployments(db, { stackId: row.id }, { limit: RECENT })
  return {
    ...(await showStacks(parts, [row]))[0]!,
    allows: allowancesOf(row),
    // Sensitive outputs go to the stacks that take them as inputs, never to a person's screen.
    outputs: Object.fromEntries(
      Object.entries(outputs).map(([name, { value, sensitive }]) => [
        name,
        { value: sensitive ? null : value, sensitive },
      ]),
    ),
    quarantine: await Promise.all(quarantine.map((entry) => showQuarantine(parts, entry))),
    recentDrift: await showDrifts(parts, drift.items),
    recentDeployments: await showDeployments(parts, deployments.items),
    proposals: await proposalsOf(parts, row),
  }
}

/** Open MRs that Trueup made of this stack: a codification of its drift, a rollback. */
async function proposalsOf(parts: EngineParts, stack: StackRow): Promise<StackDetail['proposals']> {
  const found: StackDetail['proposals'] = []
  for await (const { number, origin, originDetail, title } of openMergeRequests(parts.store.db, {
    repositoryId: stack.repositoryId,
  })) {
    const { stackId, stacks = [] } = (originDetail ?? {}) as { stackId?: string; stacks?: { stackId: string }[] }
    if (origin !== null && [stackId, ...stacks.map((entry) => entry.stackId)].includes(stack.id))
      found.push({ mr: number, origin, title })
  }
  return found
}

/** Of the source alone, as the desired one is: they are equal where what is deployed is what Git says. */
const sourceDeployed = ({ deployedDigest, deployedConfig }: StackRow): string | null =>
  deployedDigest === null ? null : ((deployedConfig as unknown as RunSpec | null)?.sourceDigest ?? deployedDigest)

export async function showDeployments(parts: EngineParts, rows: readonly DeploymentRow[]): Promise<Deployment[]> {
  const names = await namesOf(parts, {
    stacks: rows.map(({ stackId }) => stackId),
    mrs: rows.map(({ mrId }) => mrId),
    users: rows.map(({ actorId }) => actorId),
  })
  return rows.map((row) => ({
    id: row.id,
    stack: names.stack(row.stackId),
    stackId: row.stackId,
    run: row.runId,
    mr: names.mr(row.mrId),
    kind: row.kind,
    state: row.status,
    commit: row.commitOid,
    previousCommit: row.previousCommitOid,
    summary: row.summary,
    actor: row.actorId === null ? null : names.user(row.actorId),
    finishedAt: row.finishedAt,
  }))
}
