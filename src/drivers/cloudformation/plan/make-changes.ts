import { randomUUID } from 'node:crypto'
import type { Finding, ResourceChange } from '../../../domain/plans/plan.ts'
import { TrueupError } from '../../../lib/errors/error.ts'
import { CHANGE_SET_PREFIX } from '../names.ts'
import type { Prepared } from '../source/prepare.ts'
import { propertiesOf, referencesOf, resourcesIn } from '../source/expressions.ts'
import { type ChangeSet, createChangeSet, createReverting, deleteChangeSet, deleteIfEmpty } from './change-set.ts'
import { resourceChanges } from './changes.ts'
import { withDrift } from './drift-changes.ts'
import type { ResourceDrift } from './drift.ts'
import { outputChanges } from './outputs.ts'
import { kindOf, outputFacts, type Planning } from './planning.ts'
import type { PlanRecord } from './record.ts'

export interface Made {
  changes: ResourceChange[]
  findings: Finding[]
  record: Pick<PlanRecord, 'kind' | 'changeSetId' | 'type' | 'heal' | 'unhealable'> & { stackOfChangeSet?: string }
}

/** Makes the change set and says in Trueup's terms what executing it would change. */
export async function makeChanges(planning: Planning, prepared: Prepared): Promise<Made> {
  const { cloud, context, drifts, untilMs } = planning
  const imports = importsOf(planning)
  const type = imports.length > 0 ? 'IMPORT' : planning.stack === null ? 'CREATE' : 'UPDATE'
  const input = {
    ...prepared.input,
    ChangeSetName: `${CHANGE_SET_PREFIX}${kindOf(context)}-${randomUUID().slice(0, 8)}`,
    ChangeSetType: type,
    ...(type === 'CREATE' && { OnStackFailure: context.config.onFailure }),
    ...(type === 'IMPORT' && { ResourcesToImport: imports, IncludeNestedStacks: false }),
  } as const
  if (type === 'UPDATE' && drifts.length > 0) {
    const reverting = await createReverting(cloud, input, { untilMs }).catch((thrown: unknown) => {
      if (!(thrown instanceof TrueupError) || thrown.code !== 'SOURCE_INVALID') throw thrown
      context.log(`AWS makes no drift-aware change set here: ${thrown.text.why}`)
      return null
    })
    if (reverting !== null) return reverted(planning, reverting)
    context.log('the endpoint offers no REVERT_DRIFT: drift is healed by two updates where that works')
    return healed(
      planning,
      await createChangeSet(cloud, { ...input, ChangeSetName: `${input.ChangeSetName}-b` }, { untilMs }),
    )
  }
  const changeSet = await createChangeSet(cloud, input, { untilMs })
  const changes = listed(planning, changeSet)
  return {
    changes,
    findings: [...changeSet.findings, ...unseenParameters(planning, changes)],
    record: {
      kind: 'execute',
      type,
      unhealable: [],
      ...(!changeSet.empty && { changeSetId: changeSet.id, stackOfChangeSet: changeSet.stackId }),
    },
  }
}

/** The change set's entries; where it has none and is not empty, only outputs change. */
function listed(planning: Planning, changeSet: ChangeSet): ResourceChange[] {
  const { source, deployed, drifts, redaction, context } = planning
  if (changeSet.empty) return []
  const changes = resourceChanges(changeSet.changes, {
    template: source.template.value,
    deployed,
    parameters: source.parameters.values,
    deployedParameters: Object.fromEntries(
      (planning.stack?.Parameters ?? []).map((one) => [one.ParameterKey ?? '', one.ParameterValue ?? '']),
    ),
    sensitive: source.parameters.sensitive,
    inputs: Object.keys(context.inputs),
    drifts,
    redaction,
    nested: changeSet.nested,
  })
  const outputs = deployed === null ? [] : outputChanges(planning.stack, deployed, outputFacts(planning))
  return changes.length > 0 ? changes : outputs
}

/** Parameters that would change while no resource is shown to: what they do is seen only when they are deployed. */
function unseenParameters({ stack, source }: Planning, changes: readonly ResourceChange[]): Finding[] {
  if (stack === null || changes.length > 0) return []
  const before = new Map((stack.Parameters ?? []).map((one) => [one.ParameterKey ?? '', one.ParameterValue ?? '']))
  const { values, sensitive } = source.parameters
  const moved = Object.keys(values).filter(
    // What is declared NoEcho AWS does not show.
    (name) =>
      !sensitive.has(name) && before.has(name) && before.get(name) !== '****' && before.get(name) !== values[name],
  )
  if (moved.length === 0) return []
  const users = resourcesIn(source.template.value)
    .filter(([, definition]) => moved.some((name) => referencesOf(definition).has(name)))
    .map(([id]) => id)
  const used = users.length === 0 ? 'no resource refers to them' : `${users.join(', ')} refer to them`
  return [
    {
      severity: 'warning',
      code: 'parameters_unseen',
      message: `the parameters ${moved.join(', ')} change, and the change set shows no change of a resource: ${used}. Nothing is deployed for that.`,
    },
  ]
}

/** A drift-aware change set brings drifted resources back itself; those that it does not list stay as they are. */
function reverted(planning: Planning, changeSet: ChangeSet): Made {
  const changes = listed(planning, changeSet)
  const left = planning.drifts.filter(({ address }) => !changes.some((change) => change.address === address))
  const unhealable = left.map(({ address }) => ({
    address,
    why: 'the drift-aware change set of AWS leaves it as it is',
  }))
  const shown = isAboutDrift(planning) ? left : []
  return {
    changes: [...changes, ...withDrift([], shown, driftFacts(planning))],
    findings: [...changeSet.findings, ...unhealable.map(unhealableFinding)],
    record: {
      kind: 'execute',
      type: 'UPDATE',
      unhealable: shown.length > 0 ? unhealable : [],
      ...(!changeSet.empty && { changeSetId: changeSet.id }),
    },
  }
}

/**
 * A drift check names everything that has drifted, and a heal fails of what it cannot bring back. A deployment promises
 * only what it can do: there the rest is a finding.
 */
const isAboutDrift = ({ context }: Planning): boolean => ['drift', 'heal'].includes(kindOf(context))

/**
 * Without drift-aware change sets: AWS writes only what differs between two templates. So an update first tells it what
 * is there (nothing changes by that), and a second one brings the template back. That works for properties of the stack's
 * own resources, and for deleted ones that nothing refers to.
 */
function healed(planning: Planning, changeSet: ChangeSet): Made {
  const { drifts } = planning
  const heal: NonNullable<PlanRecord['heal']> = []
  const unhealable: PlanRecord['unhealable'] = []
  for (const drift of drifts) {
    const { address, deleted, actual, differences } = drift
    const why = whyNot(planning, drift)
    if (why !== null) unhealable.push({ address, why })
    else
      heal.push({ address, deleted, live: actual, names: [...new Set(differences.map(({ path }) => String(path[0])))] })
  }
  const beyond = new Set(unhealable.map(({ address }) => address))
  const shown = isAboutDrift(planning) ? drifts : drifts.filter(({ address }) => !beyond.has(address))
  return {
    changes: withDrift(listed(planning, changeSet), shown, driftFacts(planning)),
    findings: [...changeSet.findings, ...unhealable.map(unhealableFinding)],
    record: {
      kind: 'heal',
      type: 'UPDATE',
      heal,
      unhealable: isAboutDrift(planning) ? unhealable : [],
      ...(!changeSet.empty && { changeSetId: changeSet.id }),
    },
  }
}

function whyNot({ deployed }: Planning, { address, deleted, type }: ResourceDrift): string | null {
  if (address.includes('/')) return 'it belongs to a nested stack'
  const resources = resourcesIn(deployed ?? {})
  const definition = resources.find(([id]) => id === address)?.[1]
  if (definition === undefined || definition['Type'] !== type)
    return 'it does not stand in the deployed template as it is written (a macro or a transform makes it)'
  if (!deleted)
    return Object.keys(propertiesOf(definition)).length === 0 ? 'its properties do not stand in the template' : null
  const users = resources.filter(([id, other]) => id !== address && refersTo(other, address)).map(([id]) => id)
  const outputs = JSON.stringify(deployed?.['Outputs'] ?? null)
  if (users.length > 0) return `it was deleted, and ${users.join(', ')} refer to it`
  return referencesOf(JSON.parse(outputs)).has(address) ? 'it was deleted, and outputs refer to it' : null
}

const refersTo = (definition: object, address: string): boolean =>
  referencesOf(definition as never).has(address) ||
  [(definition as { DependsOn?: string | string[] }).DependsOn ?? []].flat().includes(address)

const unhealableFinding = ({ address, why }: { address: string; why: string }): Finding => ({
  severity: 'warning',
  code: 'drift_not_healable',
  message: `${address} has drifted, and CloudFormation cannot bring it back here: ${why}. Change it back by hand, or change the template.`,
})

const driftFacts = ({ source, redaction }: Planning) => ({
  template: source.template.value,
  sensitive: source.parameters.sensitive,
  redaction,
})

/** Configured imports that the stack does not have yet. */
function importsOf({ context, deployed, source }: Planning) {
  const have = new Set(resourcesIn(deployed ?? {}).map(([id]) => id))
  const wanted = new Set(resourcesIn(source.template.value).map(([id]) => id))
  return context.config.imports
    .filter(({ logicalId }) => !have.has(logicalId) && wanted.has(logicalId))
    .map(({ logicalId, type, identifier }) => ({
      LogicalResourceId: logicalId,
      ResourceType: type,
      ResourceIdentifier: identifier,
    }))
}

/** Deletes what a plan has made in AWS and no apply needs: the change set, and the empty stack that came with it. */
export async function release(
  { cloud, stack }: Planning,
  record: PlanRecord & { stackOfChangeSet?: string },
  keep: boolean,
): Promise<void> {
  if (keep || record.changeSetId === undefined) return
  await deleteChangeSet(cloud, record.changeSetId)
  if (stack === null) await deleteIfEmpty(cloud, record.stackOfChangeSet ?? cloud.stackName)
  delete record.changeSetId
}
