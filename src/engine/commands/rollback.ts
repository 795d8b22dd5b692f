import { TrueupError } from '../../lib/errors/error.ts'
import { listDeployments } from '../../store/stacks/deployments.ts'
import type { EngineParts } from '../parts.ts'
import { rollBack } from '../rollback/rollback.ts'
import { eachStack } from './lines.ts'
import type { Act, MrStack, Order } from './order.ts'

/** Takes back what the merge request deployed: all of it by one merge request, or single stacks by one each. */
export const rollback: Act = {
  needs: () => 'maintainer',
  async run(parts, order) {
    const { mr, stacks, all, actorId, command } = order
    const doing = `rolling back !${mr.number}`
    if (mr.state !== 'merged') throw new TrueupError('CONFLICT', { doing, why: `!${mr.number} is ${mr.state}` })
    const reason = command.reason ?? `asked for in a comment on !${mr.number}`
    if (stacks.length === all.length) {
      const filter = { repositoryId: mr.repositoryId, mrId: mr.id }
      const [newest] = (await listDeployments(parts.store.db, filter, { limit: 1 })).items
      if (!newest) throw new TrueupError('CONFLICT', { doing, why: 'it has deployed nothing' })
      const target = { what: 'deployment', repositoryId: mr.repositoryId, deploymentId: newest.id } as const
      return [`opened !${(await rollBack(parts, { target, reason, actorId })).number}`]
    }
    return await eachStack(stacks, async (stack) => {
      const stackId = await lastChangedHere(parts, order, stack)
      return `opened !${(await rollBack(parts, { target: { what: 'stack', stackId }, reason, actorId })).number}`
    })
  },
}

/** What changed the stack later would be taken back instead. */
async function lastChangedHere(parts: EngineParts, { mr }: Order, { row, key }: MrStack): Promise<string> {
  const [newest] = row ? (await listDeployments(parts.store.db, { stackId: row.id }, { limit: 1 })).items : []
  if (row && newest?.mrId === mr.id) return row.id
  throw new TrueupError('CONFLICT', {
    doing: `rolling back ${key}`,
    why: newest ? 'its last deployment is not of this merge request' : 'it has never been deployed',
    next: '`trueup rollback --stack` takes back the last change of a stack.',
  })
}
