import { inert } from '../../domain/render/markdown-text.ts'
import { describeState } from '../../domain/runs/run.ts'
import { getRun, listRuns, type Run } from '../../store/runs/runs.ts'
import { getStack } from '../../store/stacks/stacks.ts'
import type { EngineParts } from '../parts.ts'
import { appliedOf } from '../applied.ts'

/** Marks the one comment of Trueup on an MR that says what became of it. */
const DEPLOYMENT_COMMENT = 'deployment'
/** Stacks and resources named; a link leads to the rest. */
const MAX_STACKS = 100
const MAX_RESOURCES = 20

/** Says on the MR how its deployments ended, and of those that failed half-way what was done and what was not. */
export async function commentDeployment(
  parts: EngineParts,
  { mrId, repositoryId }: { mrId: string; repositoryId: string },
): Promise<void> {
  const kinds = ['deploy', 'destroy'] as const
  const { items } = await listRuns(parts.store.db, { mrId, kinds }, { limit: 500 })
  // Newest first: of a stack that was tried several times the last try counts.
  const newest = new Map(items.reverse().map((run) => [run.stackId, run.id]))
  const lines: string[] = []
  for (const [stackId, runId] of [...newest].slice(0, MAX_STACKS)) {
    const [stack, run] = [await getStack(parts.store.db, stackId), await getRun(parts.store.db, runId)]
    if (stack && run) lines.push(...linesOf(`${stack.environment}/${stack.name}`, run))
  }
  if (newest.size > MAX_STACKS) lines.push(`- and ${newest.size - MAX_STACKS} more stacks`)
  if (lines.length === 0) return
  const forge = await parts.forges.of(repositoryId)
  await forge.comments.upsert(mrId, DEPLOYMENT_COMMENT, ['**Deployment**', '', ...lines].join('\n'))
}

function linesOf(key: string, run: Run): string[] {
  const state = describeState(run.state, run.state === 'succeeded' ? null : run.reason)
  const why = run.state === 'failed' && run.message ? `: ${inert(run.message)}` : ''
  const line = `- **${inert(key)}** ${state}${why} (\`trueup run show ${run.id}\`)`
  const resources = run.state === 'failed' || run.state === 'lost' ? (appliedOf(run)?.resources ?? []) : []
  const shown = resources.slice(0, MAX_RESOURCES).map(({ address, status, message }) => {
    return `  - ${inert(address)}: ${status}${message ? ` (${inert(message, 200)})` : ''}`
  })
  const left = resources.length - shown.length
  return [line, ...shown, ...(left > 0 ? [`  - and ${left} more`] : [])]
}
