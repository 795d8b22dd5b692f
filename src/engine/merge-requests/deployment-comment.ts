import { inert } from '../../domain/render/markdown-text.ts'
import type { Plan } from '../../domain/plans/plan.ts'
import { describeState, isFinal } from '../../domain/runs/run.ts'
import { requireMergeRequest } from '../../store/changes/merge-requests.ts'
import { getRun, listRuns, type Run } from '../../store/runs/runs.ts'
import { getStack } from '../../store/stacks/stacks.ts'
import type { EngineParts } from '../parts.ts'
import { appliedOf } from '../applied.ts'
import { type Deployed, showDeployments } from './forge-deployments.ts'

/** Marks the one comment of Trueup on an MR that says what became of it. */
const DEPLOYMENT_COMMENT = 'deployment'
/** Stacks and resources named; a link leads to the rest. */
const MAX_STACKS = 100
/** Runs looked at: of a merge request that has more nobody says that all of it is deployed. */
const MAX_RUNS = 500
const MAX_RESOURCES = 20

/**
 * Says on the MR how its deployments ended or what they wait for, and of those that failed half-way what was done and what
 * was not. Plans that wait for an approval are noted as seen from now on, for whoever answers `/trueup apply`.
 */
export async function commentDeployment(parts: EngineParts, mrId: string): Promise<void> {
  const kinds = ['deploy', 'destroy'] as const
  const { items } = await listRuns(parts.store.db, { mrId, kinds }, { limit: MAX_RUNS })
  // Newest first: of a stack that was tried several times the last try counts.
  const newest = new Map(items.reverse().map((run) => [run.stackId, run]))
  const mr = await requireMergeRequest(parts.store.db, mrId, 'telling how it was deployed')
  const { mergeOid } = mr
  const forge = await parts.forges.of(mr.repositoryId)
  // What only waits is told where an answer to it is read: on Trueup's own page it is shown, with a button.
  if (forge.can.commands !== true && ![...newest.values()].some(({ state }) => isFinal(state))) return
  // The forge's page of deployments says it of all of them, the comment of the first.
  const looked = forge.can.deployments === true ? newest.size : MAX_STACKS
  const lines: string[] = []
  const digests: { [stackKey: string]: string } = {}
  const deployed: Deployed[] = []
  for (const [stackId, { id, state }] of [...newest].slice(0, looked)) {
    const stack = await getStack(parts.store.db, stackId)
    if (!stack) continue
    deployed.push({ environment: stack.environment, state })
    const run = deployed.length <= MAX_STACKS ? await getRun(parts.store.db, id) : undefined
    if (!run) continue
    const key = `${stack.environment}/${stack.name}`
    lines.push(...linesOf(key, run))
    if (run.state === 'awaiting_approval' && run.planDigest !== null) digests[key] = run.planDigest
  }
  if (newest.size > MAX_STACKS) lines.push(`- and ${newest.size - MAX_STACKS} more stacks`)
  if (lines.length === 0) return
  const isWhole = items.length < MAX_RUNS
  const unshown = isWhole ? await showDeployments(parts, forge, mr, deployed) : null
  if (unshown) lines.push('', `Not on the forge's page of deployments: ${inert(unshown, 300)}`)
  const body = ['**Deployment**', '', ...lines].join('\n')
  const shows = mergeOid === null ? undefined : { headOid: mergeOid, digests, files: {} }
  await forge.comments.upsert(mrId, DEPLOYMENT_COMMENT, body, shows)
}

/** What waits, as far as an approval of it has to know. */
function changesOf({ plan }: Run): string[] {
  const changes = (plan as Plan | null)?.changes ?? []
  const shown = changes
    .slice(0, MAX_RESOURCES)
    .map(({ address, actions }) => `  - ${inert(address)}: ${actions.join(', ')}`)
  const left = changes.length - shown.length
  return [...shown, ...(left > 0 ? [`  - and ${left} more`] : [])]
}

function linesOf(key: string, run: Run): string[] {
  const state = describeState(run.state, run.state === 'succeeded' ? null : run.reason)
  const isTold = run.state === 'failed' || run.state === 'awaiting_approval'
  const why = isTold && run.message ? `: ${inert(run.message)}` : ''
  const line = `- **${inert(key)}** ${state}${why} (\`trueup run show ${run.id}\`)`
  if (run.state === 'awaiting_approval') return [line, ...changesOf(run)]
  const resources = run.state === 'failed' || run.state === 'lost' ? (appliedOf(run)?.resources ?? []) : []
  const shown = resources.slice(0, MAX_RESOURCES).map(({ address, status, message }) => {
    return `  - ${inert(address)}: ${status}${message ? ` (${inert(message, 200)})` : ''}`
  })
  const left = resources.length - shown.length
  return [line, ...shown, ...(left > 0 ? [`  - and ${left} more`] : [])]
}
