import { type Account, findStack, moveStack, stackOf } from '../account.ts'
import { type Answer, ServiceError } from '../answer.ts'
import { makeObsolete } from '../change-sets.ts'
import { computeChanges } from '../compute-changes.ts'
import { asText, differences } from '../compare.ts'
import { checkCapabilities, parameterValues, readTemplate } from '../desired.ts'
import { runCreate, runDelete, runUpdate } from '../execute.ts'
import { emptyStack } from '../nested.ts'
import { items, pairs, type QueryValue, text } from '../query.ts'
import { bodyOf, parametersOf } from './template-parameters.ts'
import { page, stackAnswer } from './shapes.ts'

export function DescribeStacks(account: Account, parameters: QueryValue): Answer {
  const name = text(parameters, 'StackName')
  const all =
    name === undefined ? account.stacks.filter(({ deleted }) => deleted === undefined) : [stackOf(account, name)]
  const { items: some, NextToken } = page(account, all, text(parameters, 'NextToken'))
  return { Stacks: some.map(stackAnswer), NextToken }
}

export function DescribeStackEvents(account: Account, parameters: QueryValue): Answer {
  const stack = stackOf(account, text(parameters, 'StackName'))
  const { items: some, NextToken } = page(account, stack.events.toReversed(), text(parameters, 'NextToken'))
  return {
    StackEvents: some.map((event) => ({
      StackId: stack.id,
      EventId: event.id,
      StackName: stack.name,
      LogicalResourceId: event.logicalId,
      PhysicalResourceId: event.physicalId,
      ResourceType: event.type,
      Timestamp: event.at,
      ResourceStatus: event.status,
      ResourceStatusReason: event.reason,
      ClientRequestToken: event.token,
    })),
    NextToken,
  }
}

export function ListStackResources(account: Account, parameters: QueryValue): Answer {
  const stack = stackOf(account, text(parameters, 'StackName'))
  const { items: some, NextToken } = page(account, [...stack.resources.values()], text(parameters, 'NextToken'))
  return {
    StackResourceSummaries: some.map((resource) => ({
      LogicalResourceId: resource.logicalId,
      PhysicalResourceId: resource.physicalId,
      ResourceType: resource.type,
      LastUpdatedTimestamp: resource.updated,
      ResourceStatus: resource.status,
      DriftInformation: { StackResourceDriftStatus: resource.driftStatus },
    })),
    NextToken,
  }
}

export function GetTemplate(account: Account, parameters: QueryValue): Answer {
  const stack = stackOf(account, text(parameters, 'StackName'))
  const processed = text(parameters, 'TemplateStage') === 'Processed'
  return {
    TemplateBody: processed ? JSON.stringify(stack.processed) : stack.body,
    StagesAvailable: ['Original', 'Processed'],
  }
}

export function ValidateTemplate(account: Account, parameters: QueryValue): Answer {
  const processed = readTemplate(bodyOf(account, parameters))
  return { Description: asText(processed['Description'] ?? ''), Parameters: [] }
}

export function CreateStack(account: Account, parameters: QueryValue): Answer {
  const name = text(parameters, 'StackName') ?? ''
  if (findStack(account, name)) throw new ServiceError('AlreadyExistsException', `Stack [${name}] already exists`)
  const wanted = wantedOf(account, parameters, {})
  const stack = emptyStack(account, name)
  account.stacks.push(stack)
  void runCreate(account, stack, wanted)
  return { StackId: stack.id }
}

export function UpdateStack(account: Account, parameters: QueryValue): Answer {
  const stack = stackOf(account, text(parameters, 'StackName'))
  if (!stack.status.endsWith('_COMPLETE') || /^(ROLLBACK|DELETE)_COMPLETE$/.test(stack.status))
    throw new ServiceError('ValidationError', `Stack:${stack.id} is in ${stack.status} state and can not be updated.`)
  const wanted = wantedOf(account, parameters, stack.parameters)
  const changes = computeChanges(account, stack, { ...wanted, revertDrift: false, imports: [] })
  const outputs = differences(stack.processed['Outputs'] ?? {}, wanted.processed['Outputs'] ?? {})
  if (changes.length === 0 && outputs.length === 0)
    throw new ServiceError('ValidationError', 'No updates are to be performed.')
  makeObsolete(account, stack)
  void runUpdate(account, stack, wanted)
  return { StackId: stack.id }
}

function wantedOf(account: Account, parameters: QueryValue, previous: { [name: string]: string }) {
  const body = bodyOf(account, parameters)
  const processed = readTemplate(body)
  checkCapabilities(processed, items(parameters, 'Capabilities') as string[])
  const token = text(parameters, 'ClientRequestToken')
  return {
    body,
    processed,
    parameters: parameterValues(processed, parametersOf(parameters), previous),
    tags: pairs(parameters, 'Tags', 'Key', 'Value'),
    ...(token && { token }),
  }
}

export function CancelUpdateStack(account: Account, parameters: QueryValue): Answer {
  const stack = stackOf(account, text(parameters, 'StackName'))
  if (stack.status !== 'UPDATE_IN_PROGRESS')
    throw new ServiceError('ValidationError', `CancelUpdateStack cannot be called from current stack status`)
  stack.cancelRequested = true
  return {}
}

export function DeleteStack(account: Account, parameters: QueryValue): Answer {
  const stack = findStack(account, text(parameters, 'StackName'))
  if (stack === undefined || stack.deleted) return {}
  if (stack.protected)
    throw new ServiceError(
      'ValidationError',
      `Stack [${stack.name}] cannot be deleted while TerminationProtection is enabled`,
    )
  account.changeSets = account.changeSets.filter(({ stackId }) => stackId !== stack.id)
  const token = text(parameters, 'ClientRequestToken')
  if (stack.status === 'REVIEW_IN_PROGRESS') {
    stack.deleted = new Date()
    moveStack(stack, 'DELETE_COMPLETE')
    return {}
  }
  void runDelete(account, stack, { retain: items(parameters, 'RetainResources') as string[], ...(token && { token }) })
  return {}
}

export function SetStackPolicy(account: Account, parameters: QueryValue): Answer {
  const stack = stackOf(account, text(parameters, 'StackName'))
  const body = text(parameters, 'StackPolicyBody') ?? ''
  try {
    JSON.parse(body)
  } catch {
    throw new ServiceError('ValidationError', 'Error validating stack policy: Invalid JSON')
  }
  stack.policy = body
  return {}
}

export function GetStackPolicy(account: Account, parameters: QueryValue): Answer {
  return { StackPolicyBody: stackOf(account, text(parameters, 'StackName')).policy }
}

export function UpdateTerminationProtection(account: Account, parameters: QueryValue): Answer {
  const stack = stackOf(account, text(parameters, 'StackName'))
  stack.protected = text(parameters, 'EnableTerminationProtection') === 'true'
  return { StackId: stack.id }
}
