import { TrueupError } from '../../lib/errors/error.ts'
import { isFinal } from '../../domain/runs/run.ts'
import { inert } from '../../domain/render/markdown-text.ts'
import { getRun, type Run } from '../../store/runs/runs.ts'
import { listStateLocks, type StateLock } from '../../store/stacks/state.ts'
import type { Stack } from '../../store/stacks/stacks.ts'
import { getUser } from '../../store/people/users.ts'
import { checkNow, healNow } from '../drift/actions.ts'
import type { EngineParts } from '../parts.ts'
import { makeTerraformStates } from '../state-backend/state-backend.ts'
import { eachStack, runLine } from './lines.ts'
import type { Act, MrStack } from './order.ts'

type OrderRun = (parts: EngineParts, wish: { stackId: string; actorId: string }) => Promise<Run>

const ordering = (needs: ReturnType<Act['needs']>, orderRun: OrderRun, what: string): Act => ({
  needs: () => needs,
  run: (parts, { stacks, actorId }) =>
    eachStack(stacks, async (stack) => {
      const run = await orderRun(parts, { stackId: deployed(stack, what).id, actorId })
      return runLine(what, run.id)
    }),
})

/** Overwrites drift of the stacks now. */
export const heal = ordering('deployer', healNow, 'healing')
/** Looks for drift of the stacks now. */
export const drift = ordering('contributor', checkNow, 'looking for drift')

/** Opens locks of states that nobody holds any more: those of runs under way stay. */
export const unlock: Act = {
  needs: () => 'deployer',
  async run(parts, { stacks, actorId, command }) {
    const user = await getUser(parts.store.db, actorId)
    const actor = { runId: null, userId: actorId, label: user?.name ?? actorId, write: true }
    const states = makeTerraformStates(parts)
    return await eachStack(stacks, async (stack) => {
      const stackId = deployed(stack, 'unlocking').id
      const locks = await listStateLocks(parts.store.db, stackId)
      if (locks.length === 0) return 'its state is not locked'
      for (const lock of locks) await refuseUnderWay(parts, lock)
      for (const { workspace, lockId } of locks) await states.unlock(actor, { stackId, workspace }, lockId)
      const why = command.reason === null ? '' : ` (${inert(command.reason)})`
      return `unlocked ${locks.map(({ workspace }) => inert(workspace)).join(', ')}${why}`
    })
  },
}

function deployed({ row, key }: MrStack, doing: string): Stack {
  if (row) return row
  throw new TrueupError('CONFLICT', { doing: `${doing} ${key}`, why: 'it has never been deployed' })
}

async function refuseUnderWay(parts: EngineParts, { runId }: StateLock): Promise<void> {
  const run = runId === null ? undefined : await getRun(parts.store.db, runId)
  if (!run || isFinal(run.state)) return
  const why = `run ${run.id} holds its lock and is ${run.state}`
  throw new TrueupError('CONFLICT', { doing: 'unlocking the state', why, next: 'Wait for its end, or cancel it.' })
}
