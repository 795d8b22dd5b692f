import { setTimeout as delay } from 'node:timers/promises'
import { type Account, addEvent, arn, findStack, moveStack, stackOf } from './account.ts'
import { ServiceError } from './answer.ts'
import { asText, differences } from './compare.ts'
import { computeChanges } from './compute-changes.ts'
import { checkCapabilities, parameterValues, readTemplate } from './desired.ts'
import { runCreate, runUpdate } from './execute.ts'
import type { ChangeSet, Stack } from './model.ts'
import { emptyStack, nestedWanted } from './nested.ts'
import { outputsNow, resolveNow } from './operate.ts'

export interface ChangeSetRequest {
  stackName: string
  name: string
  type: ChangeSet['type']
  body: string
  parameters: { key: string; value?: string; previous: boolean }[]
  tags: { [name: string]: string }
  capabilities: string[]
  nested: boolean
  revertDrift: boolean
  onStackFailure?: string
  imports: ChangeSet['imports']
}

const NO_CHANGES =
  "The submitted information didn't contain changes. Submit different information to create a change set."
/** States from which an update may start (StackStatus page of the API). */
const UPDATABLE =
  /^(CREATE_COMPLETE|UPDATE_COMPLETE|UPDATE_ROLLBACK_COMPLETE|IMPORT_COMPLETE|IMPORT_ROLLBACK_COMPLETE)$/

/** CreateChangeSet: checks what the service checks at once, and computes the changes a moment later. */
export function createChangeSet(account: Account, request: ChangeSetRequest): ChangeSet {
  const processed = readTemplate(request.body)
  checkCapabilities(processed, request.capabilities)
  const stack = stackFor(account, request)
  if (account.changeSets.some((one) => one.stackId === stack.id && one.name === request.name))
    throw new ServiceError('AlreadyExistsException', `ChangeSet ${request.name} already exists`)
  const parameters = parameterValues(processed, request.parameters, stack.parameters)
  const changeSet: ChangeSet = {
    id: arn(account, 'changeSet', request.name),
    name: request.name,
    stackId: stack.id,
    type: request.type,
    status: 'CREATE_PENDING',
    executionStatus: 'UNAVAILABLE',
    created: new Date(),
    body: request.body,
    processed,
    parameters,
    tags: request.tags,
    capabilities: request.capabilities,
    imports: request.imports,
    nested: request.nested,
    revertDrift: request.revertDrift,
    changes: [],
    ...(request.onStackFailure && { onStackFailure: request.onStackFailure }),
  }
  account.changeSets.push(changeSet)
  void compute(account, stack, changeSet)
  return changeSet
}

function stackFor(account: Account, request: ChangeSetRequest): Stack {
  const existing = findStack(account, request.stackName)
  if (existing && existing.status !== 'REVIEW_IN_PROGRESS') {
    if (request.type === 'CREATE')
      throw new ServiceError(
        'ValidationError',
        `Stack [${request.stackName}] already exists and cannot be created again with the changeSet [${request.name}].`,
      )
    if (!UPDATABLE.test(existing.status))
      throw new ServiceError(
        'ValidationError',
        `Stack:${existing.id} is in ${existing.status} state and can not be updated.`,
      )
    return existing
  }
  if (request.type === 'UPDATE')
    throw new ServiceError('ValidationError', `Stack [${request.stackName}] does not exist`)
  if (existing) return existing
  const stack = emptyStack(account, request.stackName)
  account.stacks.push(stack)
  moveStack(stack, 'REVIEW_IN_PROGRESS', { reason: 'User Initiated' })
  return stack
}

async function compute(account: Account, stack: Stack, changeSet: ChangeSet): Promise<void> {
  await delay(account.stepMs)
  changeSet.status = 'CREATE_IN_PROGRESS'
  await delay(account.stepMs)
  try {
    changeSet.changes = computeChanges(account, stack, changeSet)
    if (changeSet.nested) addNested(account, stack, changeSet)
  } catch (thrown) {
    if (!(thrown instanceof ServiceError)) throw thrown
    Object.assign(changeSet, { status: 'FAILED', reason: thrown.message })
    return
  }
  changeSet.changes = changeSet.changes.filter(
    ({ details, action, nestedChangeSet }) => action !== 'Modify' || details.length > 0 || nestedChangeSet,
  )
  if (changeSet.changes.length === 0 && !otherwiseChanged(stack, changeSet)) {
    Object.assign(changeSet, { status: 'FAILED', reason: NO_CHANGES })
    return
  }
  Object.assign(changeSet, { status: 'CREATE_COMPLETE', executionStatus: 'AVAILABLE' })
}

/** Outputs alone are a change; descriptions and comments are not. */
const otherwiseChanged = (stack: Stack, { processed, tags }: ChangeSet): boolean =>
  differences(stack.processed['Outputs'] ?? {}, processed['Outputs'] ?? {}).length > 0 ||
  differences(stack.tags, tags).length > 0

function addNested(account: Account, stack: Stack, changeSet: ChangeSet): void {
  const definitions = changeSet.processed['Resources'] as { [id: string]: { Type?: string } }
  for (const change of changeSet.changes) {
    if (change.type !== 'AWS::CloudFormation::Stack' || change.action === 'Remove') continue
    if (definitions[change.logicalId] === undefined) continue
    const properties = JSON.parse(change.after ?? '{}').Properties
    const wanted = nestedWanted(account, properties)
    const child =
      account.stacks.find(({ id }) => id === change.physicalId) ??
      emptyStack(account, `${stack.name}-${change.logicalId}`)
    const changes = computeChanges(account, child, { ...wanted, revertDrift: changeSet.revertDrift, imports: [] })
    if (changes.length === 0 && change.details.length === 0) continue
    const nested: ChangeSet = {
      ...changeSet,
      ...wanted,
      id: arn(account, 'changeSet', `${changeSet.name}-${change.logicalId}`),
      name: `${changeSet.name}-${change.logicalId}`,
      stackId: child.id,
      status: 'CREATE_COMPLETE',
      executionStatus: 'UNAVAILABLE',
      changes,
      parent: changeSet.id,
    }
    account.changeSets.push(nested)
    change.nestedChangeSet = nested.id
    if (change.details.length === 0 && change.action === 'Modify') {
      change.scope = ['Properties']
      change.details = [
        {
          attribute: 'Properties',
          name: 'TemplateURL',
          recreation: 'Never',
          evaluation: 'Dynamic',
          source: 'Automatic',
        },
      ]
    }
  }
}

/** A change set by ARN, or by name and stack. */
export function changeSetOf(account: Account, name: string | undefined, stackName: string | undefined): ChangeSet {
  const stack = stackName === undefined ? undefined : stackOf(account, stackName)
  const found = account.changeSets.find((one) => one.id === name || (one.name === name && one.stackId === stack?.id))
  if (found === undefined) throw new ServiceError('ChangeSetNotFound', `ChangeSet [${name}] does not exist`, 404)
  return found
}

/** ExecuteChangeSet: every other change set of the stack is gone with it. */
export function executeChangeSet(account: Account, changeSet: ChangeSet, token: string | undefined): void {
  const stack = stackOf(account, changeSet.stackId)
  if (changeSet.executionStatus !== 'AVAILABLE')
    throw new ServiceError(
      'InvalidChangeSetStatus',
      `ChangeSet [${changeSet.id}] cannot be executed in its current status of [${changeSet.status}] with execution status of [${changeSet.executionStatus}]`,
    )
  if (stack.status.endsWith('_IN_PROGRESS') && stack.status !== 'REVIEW_IN_PROGRESS')
    throw new ServiceError('ValidationError', `Stack:${stack.id} is in ${stack.status} state and can not be updated.`)
  changeSet.executionStatus = 'EXECUTE_IN_PROGRESS'
  account.changeSets = account.changeSets.filter((one) => one === changeSet || one.stackId !== stack.id)
  stack.capabilities = changeSet.capabilities
  const drifted = new Set(
    changeSet.changes
      .filter(({ driftStatus }) => driftStatus === 'MODIFIED' || driftStatus === 'DELETED')
      .map(({ logicalId }) => logicalId),
  )
  const execution = { ...changeSet, drifted, ...(token && { token }) }
  const run =
    changeSet.type === 'CREATE'
      ? runCreate(account, stack, execution)
      : changeSet.type === 'IMPORT'
        ? runImport(account, stack, execution)
        : runUpdate(account, stack, execution)
  void run.then(() => {
    changeSet.executionStatus = /^(CREATE|UPDATE|IMPORT)_COMPLETE$/.test(stack.status)
      ? 'EXECUTE_COMPLETE'
      : 'EXECUTE_FAILED'
  })
}

/** Any other update makes waiting change sets useless. */
export function makeObsolete(account: Account, stack: Stack): void {
  for (const one of account.changeSets) {
    if (one.stackId === stack.id && one.executionStatus === 'AVAILABLE') one.executionStatus = 'OBSOLETE'
  }
}

async function runImport(account: Account, stack: Stack, changeSet: ChangeSet & { token?: string }): Promise<void> {
  const withToken = changeSet.token === undefined ? {} : { token: changeSet.token }
  const fresh = stack.resources.size === 0
  moveStack(stack, 'IMPORT_IN_PROGRESS', { reason: 'User Initiated', ...withToken })
  for (const { logicalId, type, identifier } of changeSet.imports) {
    await delay(account.stepMs)
    const wanted = Object.values(identifier)
    const real = [...account.objects.values()].find(
      (one) =>
        one.type === type &&
        (wanted.includes(one.physicalId) ||
          Object.values(one.properties).some((value) => wanted.includes(asText(value)))),
    )
    if (real === undefined) {
      addEvent(stack, {
        logicalId,
        physicalId: '',
        type,
        status: 'IMPORT_FAILED',
        reason: `Resource ${wanted.join()} does not exist`,
        ...withToken,
      })
      moveStack(stack, 'IMPORT_ROLLBACK_IN_PROGRESS', withToken)
      moveStack(stack, fresh ? 'ROLLBACK_COMPLETE' : 'IMPORT_ROLLBACK_COMPLETE', withToken)
      return
    }
    stack.resources.set(logicalId, {
      logicalId,
      type,
      physicalId: real.physicalId,
      status: 'IMPORT_COMPLETE',
      properties: resolveNow(account, stack, changeSet, logicalId),
      definition: (changeSet.processed['Resources'] as never)[logicalId],
      updated: new Date(),
      driftStatus: 'NOT_CHECKED',
    })
    addEvent(stack, { logicalId, physicalId: real.physicalId, type, status: 'IMPORT_COMPLETE', ...withToken })
  }
  const { body, processed, parameters, tags } = changeSet
  Object.assign(stack, { body, processed, parameters, tags, updated: new Date() })
  stack.outputs = outputsNow(account, stack, changeSet)
  moveStack(stack, 'IMPORT_COMPLETE', withToken)
}
