import type { Params, Result } from '../../domain/wire/worker-protocol.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import { appendAudit } from '../../store/audit/audit.ts'
import { getStack } from '../../store/stacks/stacks.ts'
import { getWorker, isInScope, patchWorker } from '../../store/workers/workers.ts'
import { checkDrift } from '../drift/schedule.ts'
import { type EngineParts, workerActor } from '../parts.ts'

/**
 * Takes down what an agent did while this server was away, and orders a look at the stack: what stands there now is for this
 * server to see. A repeat is known by its number.
 */
export async function reportReceived(
  parts: EngineParts,
  workerId: string,
  { number, stackId, ...report }: Params<'report'>,
): Promise<Result<'report'>> {
  await parts.store.transaction(async (tx) => {
    const [worker, stack] = [await getWorker(tx, workerId), await getStack(tx, stackId)]
    if (!worker || !stack || !isInScope(worker, stack))
      throw new TrueupError('NOT_FOUND', { doing: 'taking the report of an agent', why: `it has no stack ${stackId}` })
    const reported = Number(worker.info['reported'] ?? 0)
    if (number <= reported) return
    await patchWorker(tx, workerId, { info: { ...worker.info, reported: number } })
    await appendAudit(tx, {
      actor: workerActor(workerId),
      action: report.outcome === 'healed' ? 'drift.healed_alone' : 'drift.found_alone',
      subject: stack.id,
      repositoryId: stack.repositoryId,
      data: { number, ...(number > reported + 1 && { missing: number - reported - 1 }), ...report },
    })
    await checkDrift(tx, stackId, { actor: workerActor(workerId) })
  })
  return {}
}
