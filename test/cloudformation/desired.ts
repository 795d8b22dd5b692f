import { parseTemplate } from '../../src/drivers/cloudformation/template/parse.ts'
import type { Json, JsonObject } from '../../src/lib/json.ts'
import type { Account } from './account.ts'
import { ServiceError } from './answer.ts'
import { asText, isObject } from './compare.ts'
import { referencesOf, resolve, type Scope } from './intrinsics.ts'
import type { Stack, StackResource } from './model.ts'
import { resourceType } from './resource-types.ts'
import { transformed } from './transform.ts'

/** Reads, expands and checks a template; errors are those of CreateChangeSet. */
export function readTemplate(body: string): JsonObject {
  let template: JsonObject
  try {
    template = parseTemplate(body, 'TemplateBody').value
  } catch (thrown) {
    throw new ServiceError('ValidationError', `Template format error: ${(thrown as Error).message}`)
  }
  const processed = transformed(template)
  const resources = processed['Resources']
  if (!isObject(resources) || Object.keys(resources).length === 0) {
    throw new ServiceError('ValidationError', 'Template format error: At least one Resources member must be defined.')
  }
  const unknown = Object.values(resources).flatMap((resource) => {
    const type = asText((resource as JsonObject)['Type'])
    return resourceType(type) === undefined ? [type] : []
  })
  if (unknown.length > 0) {
    throw new ServiceError(
      'ValidationError',
      `Template format error: Unrecognized resource types: [${unknown.join(', ')}]`,
    )
  }
  const defined = new Set([...Object.keys(resources), ...Object.keys((processed['Parameters'] as JsonObject) ?? {})])
  const missing = [...referencesOf(resources)].filter((name) => !defined.has(name) && !name.startsWith('AWS::'))
  if (missing.length > 0) {
    throw new ServiceError(
      'ValidationError',
      `Template format error: Unresolved resource dependencies [${missing.join(', ')}] in the Resources block of the template`,
    )
  }
  return processed
}

/** Values of the template's parameters: given, previous, default. */
export function parameterValues(
  template: JsonObject,
  given: readonly { key: string; value?: string; previous: boolean }[],
  previous: { [name: string]: string },
): { [name: string]: string } {
  const declared = (template['Parameters'] as { [name: string]: JsonObject } | undefined) ?? {}
  const strange = given.filter(({ key }) => declared[key] === undefined).map(({ key }) => key)
  if (strange.length > 0)
    throw new ServiceError('ValidationError', `Parameters: [${strange.join(', ')}] do not exist in the template`)
  const values: { [name: string]: string } = {}
  const missing: string[] = []
  for (const [name, declaration] of Object.entries(declared)) {
    const one = given.find(({ key }) => key === name)
    const value = one?.previous ? previous[name] : (one?.value ?? declaration['Default'])
    if (value === undefined) missing.push(name)
    else values[name] = asText(value as Json)
    const allowed = declaration['AllowedValues']
    if (Array.isArray(allowed) && value !== undefined && !allowed.map(String).includes(values[name]!)) {
      throw new ServiceError('ValidationError', `Parameter '${name}' must be one of AllowedValues`)
    }
  }
  if (missing.length > 0)
    throw new ServiceError('ValidationError', `Parameters: [${missing.join(', ')}] must have values`)
  return values
}

/** IAM resources need an acknowledgement; the wording is the service's. */
export function checkCapabilities(template: JsonObject, capabilities: readonly string[]): void {
  const resources = Object.values((template['Resources'] as { [id: string]: JsonObject } | undefined) ?? {})
  const iam = resources.filter(({ Type: type }) => asText(type).startsWith('AWS::IAM::'))
  if (iam.length === 0) return
  const named = iam.some(({ Properties: properties }) => isObject(properties) && properties['RoleName'] !== undefined)
  const wanted = named ? ['CAPABILITY_NAMED_IAM'] : ['CAPABILITY_IAM', 'CAPABILITY_NAMED_IAM']
  if (!wanted.some((one) => capabilities.includes(one)))
    throw new ServiceError('InsufficientCapabilitiesException', `Requires capabilities : [${wanted[0]}]`)
}

export interface ScopeFacts {
  account: Account
  stack: { name: string; id: string }
  template: JsonObject
  parameters: { [name: string]: string }
  resource: (logicalId: string) => { ref: Json; attributes: (name: string) => Json | undefined } | undefined
}

export function scopeOf({ account, stack, template, parameters, resource }: ScopeFacts): Scope {
  const declared = (template['Parameters'] as { [name: string]: JsonObject } | undefined) ?? {}
  const typed = Object.entries(parameters).map(([name, value]): [string, Json] => {
    const type = asText(declared[name]?.['Type'] ?? 'String')
    return [name, /List/.test(type) ? value.split(',').map((item) => item.trim()) : value]
  })
  return {
    parameters: Object.fromEntries(typed),
    pseudo: {
      'AWS::StackName': stack.name,
      'AWS::StackId': stack.id,
      'AWS::Region': account.region,
      'AWS::AccountId': account.id,
      'AWS::Partition': 'aws',
      'AWS::URLSuffix': 'amazonaws.com',
      'AWS::NotificationARNs': [],
    },
    conditions: (template['Conditions'] as JsonObject | undefined) ?? {},
    mappings: (template['Mappings'] as JsonObject | undefined) ?? {},
    ref: (logicalId) => resource(logicalId)?.ref,
    attribute: (logicalId, name) => resource(logicalId)?.attributes(name),
    exported: (name) =>
      account.stacks.flatMap(({ outputs }) => Object.values(outputs)).find(({ exportName }) => exportName === name)
        ?.value,
  }
}

/** Logical ids that exist under the template's conditions, dependencies first. */
export function orderedResources(template: JsonObject, scope: Scope): string[] {
  const resources = template['Resources'] as { [id: string]: JsonObject }
  const present = Object.keys(resources).filter((id) => {
    const condition = resources[id]!['Condition']
    return condition === undefined || Boolean(resolve({ Condition: condition }, scope))
  })
  const done: string[] = []
  const visit = (id: string, trail: readonly string[]): void => {
    if (done.includes(id) || !present.includes(id)) return
    if (trail.includes(id))
      throw new ServiceError('ValidationError', `Circular dependency between resources: [${trail.join(', ')}]`)
    for (const other of referencesOf(resources[id]!)) visit(other, [...trail, id])
    done.push(id)
  }
  for (const id of present) visit(id, [])
  return done
}

/** Name of a resource from its physical id. */
export function nameOf(resource: { type: string; physicalId: string }): string {
  const isPath = /^(https?:|arn:)/.test(resource.physicalId)
  return isPath ? resource.physicalId.split(/[/:]/).at(-1)! : resource.physicalId
}

/** `Ref` and attributes of an existing resource. */
export function lookUp(account: Account, stack: Stack, resource: StackResource) {
  const type = resourceType(resource.type)!
  const nested = resource.type === 'AWS::CloudFormation::Stack'
  return {
    ref: resource.physicalId as Json,
    attributes: (name: string): Json | undefined => {
      if (nested) {
        const child = account.stacks.find(({ id }) => id === resource.physicalId)
        return child?.outputs[name.replace(/^Outputs\./, '')]?.value
      }
      return type.attributes(nameOf(resource), account, resource.properties)[name] ?? `${stack.name}-${name}`
    },
  }
}
