import type { Json, JsonObject } from '../../src/lib/json.ts'
import type { Account } from './account.ts'
import { asText, differences, stringified } from './compare.ts'
import { lookUp, orderedResources, scopeOf } from './desired.ts'
import { resolve } from './intrinsics.ts'
import { KNOWN_AFTER_APPLY, type PlannedChange, type PlannedDetail, type Stack, type StackResource } from './model.ts'
import { resourceType } from './resource-types.ts'

export interface Wanted {
  processed: JsonObject
  parameters: { [name: string]: string }
  tags: { [name: string]: string }
  revertDrift: boolean
  imports: readonly { logicalId: string }[]
}

/** What executing would change, as DescribeChangeSet lists it: additions and changes in the template's order, then removals. */
export function computeChanges(account: Account, stack: Stack, wanted: Wanted): PlannedChange[] {
  const replaced = new Set<string>()
  const unknown = { ref: KNOWN_AFTER_APPLY as Json, attributes: () => KNOWN_AFTER_APPLY as Json }
  const definitions = wanted.processed['Resources'] as { [id: string]: JsonObject }
  const scope = scopeOf({
    account,
    stack,
    template: wanted.processed,
    parameters: wanted.parameters,
    resource: (id) => {
      const existing = stack.resources.get(id)
      if (definitions[id] === undefined) return undefined
      if (existing === undefined || replaced.has(id)) return unknown
      // A nested stack may get other outputs; the real service does not know either.
      return lookUp(account, stack, existing)
    },
  })
  const changes: PlannedChange[] = []
  const ordered = orderedResources(wanted.processed, scope)
  for (const logicalId of ordered) {
    const definition = definitions[logicalId]!
    const properties = resolve(definition['Properties'] ?? {}, scope) as JsonObject
    const existing = stack.resources.get(logicalId)
    const change =
      existing === undefined
        ? addition(logicalId, definition, properties, wanted)
        : modification(account, existing, { definition, properties, wanted, stack })
    if (change?.replacement === 'True' || change?.driftStatus === 'DELETED') replaced.add(logicalId)
    if (change) changes.push(change)
  }
  for (const resource of stack.resources.values()) {
    if (!ordered.includes(resource.logicalId)) changes.push(removal(resource))
  }
  return changes
}

function addition(logicalId: string, definition: JsonObject, properties: JsonObject, wanted: Wanted): PlannedChange {
  const imported = wanted.imports.some((one) => one.logicalId === logicalId)
  return {
    action: imported ? 'Import' : 'Add',
    logicalId,
    type: asText(definition['Type']),
    scope: [],
    details: [],
    after: context(properties, wanted.tags),
  }
}

function removal(resource: StackResource): PlannedChange {
  const policy = resource.definition['DeletionPolicy']
  return {
    action: 'Remove',
    logicalId: resource.logicalId,
    physicalId: resource.physicalId,
    type: resource.type,
    policyAction: policy === 'Retain' || policy === 'RetainExceptOnCreate' ? 'Retain' : 'Delete',
    scope: [],
    details: [],
    before: context(resource.properties, {}),
  }
}

interface Modified {
  definition: JsonObject
  properties: JsonObject
  wanted: Wanted
  stack: Stack
}

function modification(account: Account, resource: StackResource, facts: Modified): PlannedChange | undefined {
  const { definition, properties, wanted, stack } = facts
  const type = resourceType(resource.type)!
  const real = account.objects.get(resource.physicalId)
  const compared = wanted.revertDrift && type.drift
  const base = { logicalId: resource.logicalId, physicalId: resource.physicalId, type: resource.type }
  if (compared && real === undefined && resource.type !== 'AWS::CloudFormation::Stack') {
    const after = context(properties, wanted.tags)
    return { ...base, action: 'Add', scope: [], details: [], after, driftStatus: 'DELETED' }
  }
  const before =
    compared && real ? shownOf(real.properties, resource.properties, properties, type.writeOnly) : resource.properties
  const details = differences(before, properties).map((one): PlannedDetail => {
    const name = one.path.split('/')[1]!
    const drifted = compared && differences(resource.properties[name], before[name]).length > 0
    return {
      attribute: 'Properties',
      name,
      path: `/Properties${one.path}`,
      ...(one.before !== undefined && { before: asText(one.before) }),
      ...(one.after !== undefined && { after: asText(one.after) }),
      recreation: type.immutable.includes(name)
        ? one.after === KNOWN_AFTER_APPLY
          ? 'Conditionally'
          : 'Always'
        : 'Never',
      changeType: one.before === undefined ? 'Add' : one.after === undefined ? 'Remove' : 'Modify',
      evaluation: one.after === KNOWN_AFTER_APPLY ? 'Dynamic' : 'Static',
      ...sourceOf(definition, name, drifted),
      ...(drifted && {
        drift: { previous: asText(resource.properties[name] ?? ''), actual: asText(before[name] ?? '') },
      }),
    }
  })
  for (const attribute of ['Metadata', 'DeletionPolicy', 'UpdateReplacePolicy', 'UpdatePolicy', 'CreationPolicy']) {
    for (const one of differences(resource.definition[attribute], definition[attribute])) {
      details.push({
        attribute,
        path: `/${attribute}${one.path}`,
        ...(one.before !== undefined && { before: asText(one.before) }),
        ...(one.after !== undefined && { after: asText(one.after) }),
        recreation: 'Never',
        evaluation: 'Static',
        source: 'DirectModification',
      })
    }
  }
  const tagged = differences(stack.tags, wanted.tags)
  for (const one of tagged) {
    details.push({
      attribute: 'Tags',
      name: one.path.slice(1),
      path: `/Tags${one.path}`,
      ...(one.before !== undefined && { before: asText(one.before) }),
      ...(one.after !== undefined && { after: asText(one.after) }),
      recreation: 'Never',
      evaluation: 'Static',
      source: 'DirectModification',
    })
  }
  const nested = resource.type === 'AWS::CloudFormation::Stack'
  if (details.length === 0 && !nested) return undefined
  const kinds = new Set(details.map(({ recreation }) => recreation))
  return {
    ...base,
    action: 'Modify',
    replacement: kinds.has('Always') ? 'True' : kinds.has('Conditionally') ? 'Conditional' : 'False',
    scope: [...new Set(details.map(({ attribute }) => attribute))],
    details,
    before: context(before, stack.tags),
    after: context(properties, wanted.tags),
    ...(compared && {
      previousDeployment: context(resource.properties, stack.tags),
      driftStatus: differences(resource.properties, before).length > 0 ? 'MODIFIED' : 'IN_SYNC',
    }),
  }
}

/** Of a real object, the properties that some template sets; write-only ones as the last deployment had them. */
export function shownOf(
  real: JsonObject,
  previous: JsonObject,
  wanted: JsonObject,
  writeOnly: readonly string[] = [],
): JsonObject {
  const shown: JsonObject = {}
  for (const name of new Set([...Object.keys(previous), ...Object.keys(wanted)])) {
    const value = writeOnly.includes(name) ? previous[name] : real[name]
    if (value !== undefined) shown[name] = value
  }
  return shown
}

function sourceOf(definition: JsonObject, name: string, drifted: boolean): { source: string; cause?: string } {
  const expression = (definition['Properties'] as JsonObject | undefined)?.[name]
  const reference = (expression as { Ref?: Json } | undefined)?.Ref
  if (drifted) return { source: 'NoModification' }
  if (typeof reference === 'string') return { source: 'ParameterReference', cause: reference }
  return { source: 'DirectModification' }
}

function context(properties: JsonObject, tags: { [name: string]: string }): string {
  const list = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }))
  return JSON.stringify({ Properties: stringified(properties), ...(list.length > 0 && { Tags: list }) })
}
