import { TrueupError } from '../../lib/errors/error.ts'
import { appendAudit } from '../../store/audit/audit.ts'
import type { Tx } from '../../store/database/context.ts'
import {
  deleteVariable as removeVariable,
  findVariable,
  getVariable,
  setVariable as writeVariable,
} from '../../store/stacks/variables.ts'
import { keepFormer } from '../../store/stacks/former-variables.ts'
import type { Variable, VariableScope } from '../../store/stacks/variables.ts'
import { type EngineParts, userActor } from '../parts.ts'
import { openVariable, variableContext } from './variables.ts'
import { orderRedeployment } from '../run-tasks.ts'

export interface VariableWish extends VariableScope {
  value: string
  secret: boolean
  actorId: string
}

const NAME = /^[A-Za-z_][A-Za-z0-9_]{0,254}$/
const MAX_VALUE = 64 * 1024

/**
 * Sets a variable; no call ever gives its value back. Deployed stacks that get it are planned with the new version:
 * protected environments wait for an approval where that changes something. Errors: INVALID_REQUEST.
 */
export async function setVariable(parts: EngineParts, wish: VariableWish): Promise<Variable> {
  const doing = `setting variable "${wish.name}"`
  const invalid = (why: string): TrueupError => new TrueupError('INVALID_REQUEST', { doing, why })
  if (!NAME.test(wish.name)) throw invalid('a name has letters, digits and underscores and begins with no digit')
  if (wish.value.length > MAX_VALUE) throw invalid(`the value has more than ${MAX_VALUE} characters`)
  if (wish.value.includes('\0')) throw invalid('the value holds a NUL character')
  if (wish.stack !== null && wish.environment === null) throw invalid('a stack needs its environment')
  const { repositoryId, environment, stack, name, phase, value, secret, actorId } = wish
  const seal = (id: string): string => parts.keys.seal(Buffer.from(value, 'utf8'), variableContext(repositoryId, id))
  return await parts.store.transaction(async (tx) => {
    const scope = { repositoryId, environment, stack, name, phase }
    const known = await findVariable(tx, scope)
    if (known?.secret && openVariable(parts.keys, known) !== value) await keepFormer(tx, known)
    const variable = await writeVariable(tx, scope, { secret, updatedById: actorId, seal })
    await followUp(tx, variable, 'variable.set', actorId)
    return variable
  })
}

/** Deletes a variable; what used it is planned without it. NOT_FOUND. */
export async function deleteVariable(
  parts: EngineParts,
  { variableId, actorId }: { variableId: string; actorId: string },
): Promise<void> {
  await parts.store.transaction(async (tx) => {
    const variable = await getVariable(tx, variableId)
    if (!variable)
      throw new TrueupError('NOT_FOUND', { doing: `deleting variable ${variableId}`, why: 'there is no such variable' })
    if (variable.secret) await keepFormer(tx, variable)
    await removeVariable(tx, variableId)
    await followUp(tx, variable, 'variable.delete', actorId)
  })
}

async function followUp(tx: Tx, variable: Variable, action: string, actorId: string): Promise<void> {
  const { id, repositoryId, environment, stack, name, phase, secret, version } = variable
  await appendAudit(tx, {
    actor: userActor(actorId),
    action,
    subject: id,
    repositoryId,
    data: { name, environment, stack, phase, secret, version },
  })
  await orderRedeployment(tx, repositoryId)
}
