import { CHANGING_KINDS } from '../../domain/runs/run.ts'
import type { Queries } from '../database/context.ts'
import { inPortions } from '../database/look-up.ts'
import { RUN_SUMMARY_COLUMNS, type RunSummary, runCodec } from './row.ts'

/** The runs of these stacks that are to change something and have not ended, by stack, newest first. */
export async function changesUnderWay(db: Queries, stackIds: readonly string[]): Promise<Map<string, RunSummary[]>> {
  const rows = await inPortions(stackIds, (part) =>
    db
      .selectFrom('runs')
      .select(RUN_SUMMARY_COLUMNS)
      .where('stackId', 'in', part)
      .where('kind', 'in', [...CHANGING_KINDS])
      .where('finishedAt', 'is', null)
      .orderBy('id', 'desc')
      .execute(),
  )
  const runs = new Map<string, RunSummary[]>()
  for (const row of rows) {
    const run = runCodec.fromRow(row as Parameters<typeof runCodec.fromRow>[0]) as RunSummary
    const others = runs.get(run.stackId)
    if (others) others.push(run)
    else runs.set(run.stackId, [run])
  }
  return runs
}

/** Deploy runs of these stacks that one merge has ordered for one commit, by stack: its id and state. */
export async function deploysOfMerge(
  db: Queries,
  { commitOid, mergeSequence }: { commitOid: string; mergeSequence: number },
  stackIds: readonly string[],
): Promise<Map<string, Pick<RunSummary, 'id' | 'state'>>> {
  const rows = await inPortions(stackIds, (part) =>
    db
      .selectFrom('runs')
      .select(['id', 'stackId', 'state'])
      .where('stackId', 'in', part)
      .where('kind', '=', 'deploy')
      .where('commitOid', '=', commitOid)
      .where('mergeSequence', '=', mergeSequence)
      .orderBy('id')
      .execute(),
  )
  return new Map(rows.map(({ stackId, ...run }) => [stackId, run]))
}

/** Runs that wait for these, by the run that they wait for. */
export async function dependentsOf(db: Queries, runIds: readonly string[]): Promise<Map<string, string[]>> {
  const rows = await inPortions(runIds, (part) =>
    db.selectFrom('runDependencies').selectAll().where('dependsOnRunId', 'in', part).execute(),
  )
  const dependents = new Map<string, string[]>()
  for (const { runId, dependsOnRunId } of rows) {
    const others = dependents.get(dependsOnRunId)
    if (others) others.push(runId)
    else dependents.set(dependsOnRunId, [runId])
  }
  return dependents
}

/** The states of those of these runs that exist. */
export async function statesOf(db: Queries, runIds: readonly string[]): Promise<Map<string, RunSummary['state']>> {
  const rows = await inPortions(runIds, (part) =>
    db.selectFrom('runs').select(['id', 'state']).where('id', 'in', part).execute(),
  )
  return new Map(rows.map(({ id, state }) => [id, state]))
}
