import type { Logger } from '../../lib/log.ts'
import type { Tracing } from '../../lib/tracing/span.ts'
import type { AuditEvent } from '../../store/audit/audit.ts'
import { listAudit } from '../../store/audit/list.ts'
import { getMergeRequest, type MergeRequest } from '../../store/changes/merge-requests.ts'
import { getRepository } from '../../store/changes/repositories.ts'
import type { Store } from '../../store/open.ts'
import type { Run } from '../../store/runs/runs.ts'
import { requireStack } from '../../store/stacks/stacks.ts'
import { mergeRequestSpans } from './mr-spans.ts'
import { runSpans } from './run-spans.ts'

/** More of what befell one thing is not told. */
const MOST_EVENTS = 200
/** Merge requests whose end was told; a later change of one of them tells nothing again. */
const REMEMBERED = 1_000

/** Makes spans of what has ended. */
export interface SpanFollower {
  runEnded(run: Run): void
  close(): Promise<void>
}

/**
 * Follows the store and tells `tracing` of merge requests and runs that have come to their end. What a server did not see end,
 * because it was away, is not told: telemetry is no record. The audit chain is.
 */
export function followSpans(store: Store, tracing: Tracing, log: Logger): SpanFollower {
  if (!tracing.on) return { runEnded() {}, close: async () => {} }
  const told = new Set<string>()
  const telling = new Set<Promise<void>>()
  const unsubscribe = store.changes.subscribe((changes) => {
    for (const { topic, id } of changes) if (topic === 'mr' && !told.has(id)) tell(mergeRequestEnded(id))
  })
  return {
    runEnded: (run) => tell(tellRun(run)),
    async close() {
      unsubscribe()
      await Promise.all(telling)
      await tracing.close()
    },
  }

  function tell(work: Promise<void>): void {
    const done = work
      .catch((error: unknown) => log.warn({ err: error }, 'a span could not be made'))
      .finally(() => telling.delete(done))
    telling.add(done)
  }

  async function mergeRequestEnded(id: string): Promise<void> {
    const mr = await getMergeRequest(store.db, id)
    if (!mr || told.has(id)) return
    const { state } = mr
    if (state !== 'merged' && state !== 'closed') return
    remember(id)
    const events = await eventsOf(id)
    const spans = mergeRequestSpans({
      id,
      number: mr.number,
      state,
      origin: mr.origin,
      sourceBranch: mr.sourceBranch,
      targetBranch: mr.targetBranch,
      createdAt: mr.createdAt,
      repository: await repositoryName(mr.repositoryId),
      endedAt: endOf(mr, events),
      events: events.map(({ seq, action, actor, at, data }) => ({ seq, action, actor, at, head: headIn(data) })),
    })
    for (const span of spans) tracing.add(span)
  }

  function remember(id: string): void {
    told.add(id)
    for (const oldest of told) {
      if (told.size <= REMEMBERED) return
      told.delete(oldest)
    }
  }

  async function tellRun(run: Run): Promise<void> {
    const { finishedAt } = run
    if (finishedAt === null) return
    const [stack, repository, events] = await Promise.all([
      requireStack(store.db, run.stackId),
      repositoryName(run.repositoryId),
      run.quiet ? [] : eventsOf(run.id),
    ])
    const spans = runSpans({
      ...run,
      finishedAt,
      repository,
      stack: `${stack.environment}/${stack.name}`,
      driver: stack.driver,
      error: run.error && `${run.error.code}: ${run.error.why}`,
      states: events
        .filter(({ action }) => action.startsWith('run.'))
        .map(({ action, at }) => ({ state: action.slice('run.'.length), at })),
    })
    for (const span of spans) tracing.add(span)
  }

  /** Oldest first. */
  async function eventsOf(subject: string): Promise<AuditEvent[]> {
    return (await listAudit(store.db, { subject }, { limit: MOST_EVENTS })).items.toReversed()
  }

  async function repositoryName(id: string): Promise<string> {
    return (await getRepository(store.db, id))?.name ?? id
  }
}

const endOf = (mr: MergeRequest, events: readonly AuditEvent[]): number =>
  mr.mergedAt ?? events.findLast(({ action }) => action === 'mr.close')?.at ?? mr.updatedAt

/** The head that an event is about, where it says one. */
function headIn(data: unknown): string | null {
  const { to, head, headOid, mergeOid } = (data ?? {}) as { [name: string]: unknown }
  const found = [to, head, headOid, mergeOid].find((value) => typeof value === 'string')
  return typeof found === 'string' ? found : null
}
