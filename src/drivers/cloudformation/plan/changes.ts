import type { Change, ResourceChange as AwsChange, ResourceChangeDetail } from '@aws-sdk/client-cloudformation'
import type { Action, AttributeChange, Cause, ResourceChange } from '../../../domain/plans/plan.ts'
import type { Json, JsonObject } from '../../../lib/json.ts'
import { attributeChanges } from '../../values/attributes.ts'
import type { Redaction } from '../../values/redaction.ts'
import { hasTrue, knownOf, propertiesOf, resourcesIn, sensitiveMask } from '../source/expressions.ts'
import { readContext, scalarText, type Side } from './contexts.ts'
import { createOnly } from './create-only.ts'
import { attributeOf, pointer, type ResourceDrift } from './drift.ts'

export interface ChangeFacts {
  template: JsonObject
  /** The template of the last deployment; null before the first. */
  deployed: JsonObject | null
  parameters: { [name: string]: string }
  /** Those of the last deployment, as AWS shows them. */
  deployedParameters: { [name: string]: string }
  sensitive: ReadonlySet<string>
  inputs: readonly string[]
  drifts: readonly ResourceDrift[]
  redaction: Redaction
  nested: ReadonlyMap<string, Change[]>
}

/** A change set's entries in Trueup's terms, nested stacks' below the address of theirs (`Network/Vpc`). */
export function resourceChanges(changes: readonly Change[], facts: ChangeFacts, prefix = ''): ResourceChange[] {
  return changes.flatMap(({ ResourceChange: change }) => {
    if (change === undefined) return []
    const address = `${prefix}${change.LogicalResourceId}`
    const inner = change.ChangeSetId === undefined ? undefined : facts.nested.get(change.ChangeSetId)
    const below = inner === undefined ? [] : resourceChanges(inner, facts, `${address}/`)
    return [converted(change, address, facts, prefix !== ''), ...below]
  })
}

function converted(change: AwsChange, address: string, facts: ChangeFacts, isNested: boolean): ResourceChange {
  const details = change.Details ?? []
  const drift = facts.drifts.find((one) => one.address === address)
  const attributes = attributesOf(change, address, facts, isNested)
  const forcing = isSilent(change)
    ? createOnly(
        change.ResourceType ?? '',
        attributes.map(({ path }) => path),
      )
    : []
  const actions: Action[] = forcing.length > 0 ? ['replace'] : actionsOf(change)
  const reason = forcing.length > 0 ? `replaced because of ${forcing.join(', ')}` : reasonOf(change, details)
  return {
    address,
    type: change.ResourceType ?? '',
    actions,
    attributes,
    cause: causeOf(change, { attributes, drift, inputs: facts.inputs }),
    ...(reason !== '' && { reason: facts.redaction.text(reason) }),
  }
}

/** A modification of which the endpoint does not say whether it replaces (moto). */
const isSilent = ({ Action: action, Replacement: replacement, Details: details }: AwsChange): boolean =>
  action === 'Modify' && replacement === undefined && !details?.some(({ Target: target }) => target?.RequiresRecreation)

function actionsOf(change: AwsChange): Action[] {
  switch (change.Action) {
    case 'Add':
      return ['create']
    case 'Import':
      return ['import']
    case 'Remove':
      return /Retain/.test(change.PolicyAction ?? '') ? ['forget'] : ['delete']
    case 'Modify':
    case 'Dynamic':
    case 'SyncWithActual':
    case undefined:
      // "Conditional" is decided while it is executed: what may destroy counts as what does.
      return change.Replacement === 'True' || change.Replacement === 'Conditional' ? ['replace'] : ['update']
  }
}

function attributesOf(change: AwsChange, address: string, facts: ChangeFacts, isNested: boolean): AttributeChange[] {
  const before = readContext(change.BeforeContext)
  const after = readContext(change.AfterContext)
  // Expressions of nested templates are not looked into: what is secret there is found by its value.
  const definition = isNested ? undefined : resourcesIn(facts.template).find(([id]) => id === address)?.[1]
  const mask = sensitiveMask(propertiesOf(definition), facts.sensitive) as JsonObject
  const attributes =
    before === null && after === null
      ? withoutContexts(change, address, facts, mask)
      : compared(before, after, mask, facts.redaction)
  const hidden = hiddenDetails(change.Details ?? [], mask, { definition, facts })
  const known = new Set(hidden.map(({ path }) => path))
  return [...attributes.filter(({ path }) => !known.has(path)), ...hidden].map((one) => ({
    ...one,
    path: named(one.path),
  }))
}

function compared(before: Side | null, after: Side | null, mask: JsonObject, redaction: Redaction): AttributeChange[] {
  return attributeChanges(
    {
      before: before?.value ?? {},
      after: after?.value ?? {},
      unknown: after?.unknown ?? null,
      beforeSensitive: branches(mask),
      afterSensitive: branches(mask),
    },
    redaction.value,
  )
}

/** A mask of lists cannot be laid over another list: a list with a secret in it is hidden as a whole. */
const branches = (mask: JsonObject): JsonObject =>
  Object.fromEntries(
    Object.entries(mask).map(([name, inner]) => [name, Array.isArray(inner) ? hasTrue(inner) : collapse(inner)]),
  )
const collapse = (mask: Json): Json =>
  mask === null || typeof mask !== 'object' ? mask : Array.isArray(mask) ? hasTrue(mask) : branches(mask)

/**
 * Changes that AWS shows as `****` on both sides (NoEcho parameters): the new value is known here, so its hash stands
 * for it; the old one is nowhere to be had.
 */
function hiddenDetails(
  details: readonly ResourceChangeDetail[],
  mask: JsonObject,
  { definition, facts }: { definition: JsonObject | undefined; facts: ChangeFacts },
): AttributeChange[] {
  const names = new Set(details.map(({ Target: target }) => target?.Name).filter((name) => name !== undefined))
  return [...names]
    .filter((name) => hasTrue(mask[name]))
    .map((name) => {
      const { value } = knownOf(propertiesOf(definition)[name] ?? null, facts.parameters)
      return { path: name, after: facts.redaction.value(value, true).value, sensitive: true }
    })
}

/** An endpoint that gives no property values: the details' own, or what the two templates say. */
function withoutContexts(change: AwsChange, address: string, facts: ChangeFacts, mask: JsonObject): AttributeChange[] {
  const details = (change.Details ?? []).filter(({ Target: target }) => target?.Path ?? target?.Name)
  if (details.some(({ Target: target }) => target?.BeforeValue !== undefined || target?.AfterValue !== undefined)) {
    return details.map(({ Target: target }) => fromDetail(target!, mask, facts.redaction))
  }
  const definitionIn = (template: JsonObject | null): JsonObject =>
    propertiesOf(resourcesIn(template ?? {}).find(([id]) => id === address)?.[1])
  const after = knownOf(definitionIn(change.Action === 'Remove' ? null : facts.template), facts.parameters)
  const before = knownOf(definitionIn(change.Action === 'Add' ? null : facts.deployed), facts.deployedParameters)
  const onlyKnown = compared(
    { value: scalarText(before.value) as JsonObject, unknown: null },
    { value: scalarText(after.value) as JsonObject, unknown: change.Action === 'Add' ? after.mask : null },
    mask,
    facts.redaction,
  )
  if (onlyKnown.length > 0 || change.Action !== 'Modify') return onlyKnown
  return details.map(({ Target: target }) => ({ path: target?.Name ?? '', unknown: true }))
}

function fromDetail(
  target: NonNullable<ResourceChangeDetail['Target']>,
  mask: JsonObject,
  redaction: Redaction,
): AttributeChange {
  const steps = pointer(target.Path ?? `/Properties/${target.Name}`)
  const path = steps[0] === 'Properties' ? attributeOf(steps.slice(1)) : `_${attributeOf(steps)}`
  const hidden = hasTrue(mask[target.Name ?? ''])
  const shown = (text: string): Json => redaction.value(text, hidden).value
  const unknown = target.AfterValue?.includes('{{changeSet:KNOWN_AFTER_APPLY}}') ?? false
  return {
    path,
    ...(target.BeforeValue !== undefined && { before: shown(target.BeforeValue) }),
    ...(target.AfterValue !== undefined && !unknown && { after: shown(target.AfterValue) }),
    ...(unknown && { unknown }),
    ...(hidden && { sensitive: true }),
  }
}

/** Attributes of the resource itself stand beside its properties; `Tags` there are the stack's, which each resource gets. */
const named = (path: string): string => path.replace(/^_Tags/, 'stackTags').replace(/^_/, '')

function causeOf(
  change: AwsChange,
  facts: { attributes: readonly AttributeChange[]; drift: ResourceDrift | undefined; inputs: readonly string[] },
): Cause {
  if (change.ResourceDriftStatus === 'DELETED' || facts.drift?.deleted) return 'drift'
  const moved = facts.drift?.differences.map(({ attribute }) => attribute) ?? []
  const isDrift = (path: string): boolean =>
    moved.some(
      (one) => one === path || one.startsWith(`${path}.`) || path.startsWith(`${one}.`) || path.startsWith(`${one}[`),
    )
  if (facts.attributes.some(({ path }) => isDrift(path))) return 'drift'
  const causes = (change.Details ?? []).map(({ CausingEntity: entity }) => entity)
  return causes.some((entity) => entity !== undefined && facts.inputs.includes(entity)) ? 'input' : 'config'
}

function reasonOf(change: AwsChange, details: readonly ResourceChangeDetail[]): string {
  const parts: string[] = []
  const forcing = details.filter(({ Target: target }) => target?.RequiresRecreation !== 'Never')
  const names = [
    ...new Set(forcing.map(({ Target: target }) => target?.Name).filter((name) => name !== undefined)),
  ].toSorted((a, b) => (a < b ? -1 : 1))
  if (change.Replacement === 'True')
    parts.push(names.length > 0 ? `replaced because of ${names.join(', ')}` : 'replaced')
  if (change.Replacement === 'Conditional')
    parts.push(`may be replaced because of ${names.join(', ') || 'a value known later'}`)
  if (change.Action === 'Remove' && /Snapshot/.test(change.PolicyAction ?? '')) parts.push('a snapshot is kept')
  if (change.Action === 'Remove' && /Retain/.test(change.PolicyAction ?? '')) parts.push('kept, and no longer managed')
  if (change.Action === 'SyncWithActual') parts.push('recorded as it is; the resource is not touched')
  if (change.ResourceDriftStatus === 'DELETED') parts.push('deleted outside')
  else if (change.ResourceDriftStatus === 'MODIFIED') parts.push('changed outside')
  if (change.Action === 'Import' && change.PhysicalResourceId) parts.push(`imports ${change.PhysicalResourceId}`)
  return parts.join('; ')
}
