import { setTimeout as delay } from 'node:timers/promises'
import { randomBytes } from 'node:crypto'
import type { Json, JsonObject } from '../../src/lib/json.ts'
import { type Account, addEvent, takeFailure } from './account.ts'
import { asText, differences } from './compare.ts'
import { lookUp, scopeOf } from './desired.ts'
import { resolve } from './intrinsics.ts'
import { KNOWN_AFTER_APPLY, type Stack, type StackResource } from './model.ts'
import { denial } from './policy.ts'
import { resourceType } from './resource-types.ts'

/** One resource could not be brought where it should be; `reason` is what its event says. */
export class OperationFailed extends Error {}

export interface Desired {
  processed: JsonObject
  parameters: { [name: string]: string }
  tags: { [name: string]: string }
  token?: string
}

/** One step; what still waits at the end of a test keeps nobody. */
const step = (account: Account, logicalId: string): Promise<void> =>
  delay(account.slow.get(logicalId) ?? account.stepMs, undefined, { ref: false })

const NESTED = 'AWS::CloudFormation::Stack'

/** Resolves a resource's properties against what exists now. */
export function resolveNow(account: Account, stack: Stack, desired: Desired, logicalId: string): JsonObject {
  const definition = (desired.processed['Resources'] as { [id: string]: JsonObject })[logicalId]!
  return resolve(definition['Properties'] ?? {}, liveScope(account, stack, desired)) as JsonObject
}

export const liveScope = (account: Account, stack: Stack, desired: Desired) =>
  scopeOf({
    account,
    stack,
    template: desired.processed,
    parameters: desired.parameters,
    resource: (id) => {
      const existing = stack.resources.get(id)
      return existing === undefined ? undefined : lookUp(account, stack, existing)
    },
  })

export async function createResource(
  account: Account,
  stack: Stack,
  desired: Desired,
  logicalId: string,
): Promise<void> {
  const definition = (desired.processed['Resources'] as { [id: string]: JsonObject })[logicalId]!
  const type = asText(definition['Type'])
  const event = (status: string, physicalId: string, reason?: string): void =>
    addEvent(stack, { logicalId, physicalId, type, status, token: desired.token, ...(reason && { reason }) })
  event('CREATE_IN_PROGRESS', '')
  await step(account, logicalId)
  const properties = resolveNow(account, stack, desired, logicalId)
  const fail = (reason: string): never => {
    event('CREATE_FAILED', '', reason)
    throw new OperationFailed(reason)
  }
  const problem = takeFailure(account, logicalId, 'CREATE') ?? problemOf(type, properties)
  if (problem !== undefined) fail(problem)
  let physicalId: string
  if (type === NESTED) {
    const child = await account.nested.create(account, stack, { logicalId, properties, token: desired.token })
    if (typeof child === 'string') fail(child)
    physicalId = (child as Stack).id
  } else {
    const kind = resourceType(type)!
    const named = kind.named === null ? undefined : properties[kind.named]
    const name =
      typeof named === 'string' ? named : `${stack.name}-${logicalId}-${randomBytes(6).toString('hex').toUpperCase()}`
    physicalId = kind.physicalId(named === undefined && type === 'AWS::S3::Bucket' ? name.toLowerCase() : name, account)
    if (account.objects.has(physicalId)) fail(`${name} already exists`)
    account.objects.set(physicalId, { type, physicalId, properties: structuredClone(properties) })
    if (type === 'AWS::S3::Bucket') account.buckets.add(physicalId)
  }
  event('CREATE_IN_PROGRESS', physicalId, 'Resource creation Initiated')
  await step(account, logicalId)
  stack.resources.set(logicalId, {
    logicalId,
    type,
    physicalId,
    status: 'CREATE_COMPLETE',
    properties,
    definition,
    updated: new Date(),
    driftStatus: 'NOT_CHECKED',
  })
  event('CREATE_COMPLETE', physicalId)
}

/** Updates one resource in place, or makes its replacement; gives the old one that is to be deleted in the clean-up. */
export async function updateResource(
  account: Account,
  stack: Stack,
  desired: Desired,
  { resource, revertDrift, force }: { resource: StackResource; revertDrift: boolean; force: boolean },
): Promise<StackResource | undefined> {
  const { logicalId, type } = resource
  const definition = (desired.processed['Resources'] as { [id: string]: JsonObject })[logicalId]!
  const properties = resolveNow(account, stack, desired, logicalId)
  const kind = resourceType(type)!
  const real = account.objects.get(resource.physicalId)
  const changed = differences(resource.properties, properties)
  const event = (status: string, reason?: string): void =>
    addEvent(stack, {
      logicalId,
      physicalId: resource.physicalId,
      type,
      status,
      token: desired.token,
      ...(reason && { reason }),
    })
  if (type !== NESTED && changed.length === 0 && !force) {
    const definitionChanged = differences(resource.definition, definition).length > 0
    if (definitionChanged) {
      event('UPDATE_IN_PROGRESS')
      event('UPDATE_COMPLETE')
    }
    resource.definition = definition
    return undefined
  }
  if (changed.some(({ path }) => kind.immutable.includes(path.split('/')[1]!))) {
    const old = { ...resource }
    event(
      'UPDATE_IN_PROGRESS',
      'Requested update requires the creation of a new physical resource; hence creating one.',
    )
    await createResource(account, stack, desired, logicalId)
    return old
  }
  event('UPDATE_IN_PROGRESS')
  await step(account, logicalId)
  const fail = (reason: string): never => {
    event('UPDATE_FAILED', reason)
    throw new OperationFailed(reason)
  }
  const problem =
    denial(stack.policy, logicalId, 'Update:Modify') ??
    takeFailure(account, logicalId, 'UPDATE') ??
    problemOf(type, properties) ??
    (type !== NESTED && real === undefined && !revertDrift
      ? `Resource of type '${type}' with identifier '${resource.physicalId}' was not found. (HandlerErrorCode: NotFound)`
      : undefined)
  if (problem !== undefined) fail(problem)
  if (type === NESTED) {
    const failed = await account.nested.update(account, { resource, properties, token: desired.token })
    if (failed !== undefined) fail(failed)
  } else if (real) {
    // Like a handler: what the template sets or no longer sets is written, everything else is left alone.
    for (const name of Object.keys(resource.properties))
      if (properties[name] === undefined) delete real.properties[name]
    const written = revertDrift ? Object.keys(properties) : [...new Set(changed.map(({ path }) => path.split('/')[1]!))]
    for (const name of written)
      if (properties[name] !== undefined) real.properties[name] = structuredClone(properties[name])
  }
  Object.assign(resource, {
    properties,
    definition,
    status: 'UPDATE_COMPLETE',
    updated: new Date(),
    driftStatus: 'NOT_CHECKED',
  })
  event('UPDATE_COMPLETE')
  return undefined
}

/** Deletes one resource, or keeps it where its policy says so. */
export async function deleteResource(
  account: Account,
  stack: Stack,
  resource: StackResource,
  options: { token?: string; keep?: boolean },
): Promise<void> {
  const { logicalId, type, physicalId } = resource
  const event = (status: string, reason?: string): void =>
    addEvent(stack, {
      logicalId,
      physicalId,
      type,
      status,
      ...(options.token && { token: options.token }),
      ...(reason && { reason }),
    })
  const policy = resource.definition['DeletionPolicy']
  if (options.keep || policy === 'Retain') {
    event('DELETE_SKIPPED')
    return
  }
  event('DELETE_IN_PROGRESS')
  await step(account, logicalId)
  const problem = takeFailure(account, logicalId, 'DELETE')
  if (problem !== undefined) {
    resource.status = 'DELETE_FAILED'
    event('DELETE_FAILED', problem)
    throw new OperationFailed(problem)
  }
  if (type === NESTED) await account.nested.delete(account, physicalId)
  account.objects.delete(physicalId)
  event('DELETE_COMPLETE')
}

function problemOf(type: string, properties: JsonObject): string | undefined {
  const kind = resourceType(type)!
  const missing = kind.required.filter((name) => properties[name] === undefined)
  if (missing.length > 0)
    return `Properties validation failed for resource with message: #: required key [${missing[0]}] not found`
  return kind.refuses?.(properties)
}

/** Outputs of the template as they are now. */
export function outputsNow(account: Account, stack: Stack, desired: Desired): Stack['outputs'] {
  const scope = liveScope(account, stack, desired)
  const outputs: Stack['outputs'] = {}
  for (const [name, output] of Object.entries((desired.processed['Outputs'] as { [name: string]: JsonObject }) ?? {})) {
    const condition = output['Condition']
    if (condition !== undefined && !resolve({ Condition: condition }, scope)) continue
    const exported = (output['Export'] as JsonObject | undefined)?.['Name']
    const value = resolve(output['Value'] as Json, scope)
    outputs[name] = {
      value: value === KNOWN_AFTER_APPLY ? '' : value,
      ...(typeof output['Description'] === 'string' && { description: output['Description'] }),
      ...(exported !== undefined && { exportName: asText(resolve(exported, scope)) }),
    }
  }
  return outputs
}
