import { type Account, findStack, stackOf } from '../account.ts'
import { type Answer, ServiceError } from '../answer.ts'
import { changeSetOf, createChangeSet, executeChangeSet } from '../change-sets.ts'
import type { ChangeSet } from '../model.ts'
import { items, pairs, type QueryValue, text } from '../query.ts'
import { changeSetAnswer, page } from './shapes.ts'
import { bodyOf, parametersOf } from './template-parameters.ts'

export function CreateChangeSet(account: Account, parameters: QueryValue): Answer {
  const mode = text(parameters, 'DeploymentMode')
  if (mode !== undefined && !account.revertDrift)
    throw new ServiceError('ValidationError', 'Unknown parameter: DeploymentMode')
  if (mode !== undefined && mode !== 'REVERT_DRIFT')
    throw new ServiceError('ValidationError', `Invalid DeploymentMode ${mode}`)
  const name = text(parameters, 'ChangeSetName') ?? ''
  if (!/^[a-zA-Z][-a-zA-Z0-9]{0,127}$/.test(name))
    throw new ServiceError(
      'ValidationError',
      `1 validation error detected: Value '${name}' at 'changeSetName' failed to satisfy constraint`,
    )
  const type = (text(parameters, 'ChangeSetType') ?? 'UPDATE') as ChangeSet['type']
  if (mode !== undefined && type !== 'UPDATE')
    throw new ServiceError('ValidationError', `DeploymentMode ${mode} is not supported for ${type} change sets`)
  const onStackFailure = text(parameters, 'OnStackFailure')
  const changeSet = createChangeSet(account, {
    stackName: text(parameters, 'StackName') ?? '',
    name,
    type,
    body: bodyOf(account, parameters),
    parameters: parametersOf(parameters),
    tags: pairs(parameters, 'Tags', 'Key', 'Value'),
    capabilities: items(parameters, 'Capabilities') as string[],
    nested: text(parameters, 'IncludeNestedStacks') === 'true',
    revertDrift: mode !== undefined,
    ...(onStackFailure && { onStackFailure }),
    imports: items(parameters, 'ResourcesToImport').map((item) => ({
      logicalId: text(item, 'LogicalResourceId') ?? '',
      type: text(item, 'ResourceType') ?? '',
      identifier: identifierOf(item),
    })),
  })
  return { Id: changeSet.id, StackId: changeSet.stackId }
}

/** Maps are written as `ResourceIdentifier.entry.N.key` and `.value`. */
function identifierOf(item: QueryValue): { [name: string]: string } {
  const map = (item as { ResourceIdentifier?: { entry?: { [n: string]: { key: string; value: string } } } })
    .ResourceIdentifier
  return Object.fromEntries(Object.values(map?.entry ?? {}).map(({ key, value }) => [key, value]))
}

export function DescribeChangeSet(account: Account, parameters: QueryValue): Answer {
  const changeSet = changeSetOf(account, text(parameters, 'ChangeSetName'), text(parameters, 'StackName'))
  const stack = account.stacks.find(({ id }) => id === changeSet.stackId)
  const { items: changes, NextToken } = page(account, changeSet.changes, text(parameters, 'NextToken'))
  const values = text(parameters, 'IncludePropertyValues') === 'true'
  return { ...changeSetAnswer({ ...changeSet, changes }, stack, values), NextToken }
}

export function ExecuteChangeSet(account: Account, parameters: QueryValue): Answer {
  const changeSet = changeSetOf(account, text(parameters, 'ChangeSetName'), text(parameters, 'StackName'))
  executeChangeSet(account, changeSet, text(parameters, 'ClientRequestToken'))
  return {}
}

export function DeleteChangeSet(account: Account, parameters: QueryValue): Answer {
  const name = text(parameters, 'ChangeSetName')
  const stack = findStack(account, text(parameters, 'StackName'))
  const found = account.changeSets.find((one) => one.id === name || (one.name === name && one.stackId === stack?.id))
  account.changeSets = account.changeSets.filter(
    (one) => one !== found && (found === undefined || one.parent !== found.id),
  )
  return {}
}

export function ListChangeSets(account: Account, parameters: QueryValue): Answer {
  const stack = stackOf(account, text(parameters, 'StackName'))
  const all = account.changeSets.filter(({ stackId }) => stackId === stack.id)
  const { items: some, NextToken } = page(account, all, text(parameters, 'NextToken'))
  return {
    Summaries: some.map((one) => ({
      StackId: stack.id,
      StackName: stack.name,
      ChangeSetId: one.id,
      ChangeSetName: one.name,
      ExecutionStatus: one.executionStatus,
      Status: one.status,
      StatusReason: one.reason,
      CreationTime: one.created,
    })),
    NextToken,
  }
}
