import { asText } from '../compare.ts'
import type { Json, JsonObject } from '../../../src/lib/json.ts'
import type { Account } from '../account.ts'
import type { Answer } from '../answer.ts'
import { ServiceError } from '../answer.ts'
import type { ChangeSet, PlannedChange, Stack } from '../model.ts'

const keyValues = (values: { [name: string]: string }): Answer[] =>
  Object.entries(values).map(([Key, Value]) => ({ Key, Value }))

/** Parameters with NoEcho show as asterisks, as everywhere in the service. */
export function shownParameters(processed: JsonObject, values: { [name: string]: string }): Answer[] {
  const declared = (processed['Parameters'] as { [name: string]: JsonObject } | undefined) ?? {}
  return Object.entries(values).map(([ParameterKey, value]) => {
    const hidden = asText(declared[ParameterKey]?.['NoEcho'] ?? false) === 'true'
    return { ParameterKey, ParameterValue: hidden ? '****' : value }
  })
}

export function stackAnswer(stack: Stack): Answer {
  return {
    StackId: stack.id,
    StackName: stack.name,
    Description: typeof stack.processed['Description'] === 'string' ? stack.processed['Description'] : undefined,
    Parameters: shownParameters(stack.processed, stack.parameters),
    CreationTime: stack.created,
    LastUpdatedTime: stack.updated,
    DeletionTime: stack.deleted,
    StackStatus: stack.status,
    StackStatusReason: stack.reason,
    DisableRollback: false,
    Capabilities: stack.capabilities,
    Outputs: Object.entries(stack.outputs).map(([OutputKey, { value, description, exportName }]) => ({
      OutputKey,
      OutputValue: Array.isArray(value) ? value.map(asText).join(',') : asText(value),
      Description: description,
      ExportName: exportName,
    })),
    Tags: keyValues(stack.tags),
    EnableTerminationProtection: stack.protected,
    ParentId: stack.parent,
    RootId: stack.root,
    DriftInformation: { StackDriftStatus: stack.driftStatus },
  }
}

export function changeSetAnswer(changeSet: ChangeSet, stack: Stack | undefined, values: boolean): Answer {
  return {
    ChangeSetName: changeSet.name,
    ChangeSetId: changeSet.id,
    StackId: changeSet.stackId,
    StackName: stack?.name ?? '',
    CreationTime: changeSet.created,
    ExecutionStatus: changeSet.executionStatus,
    Status: changeSet.status,
    StatusReason: changeSet.reason,
    Parameters: shownParameters(changeSet.processed, changeSet.parameters),
    Tags: keyValues(changeSet.tags),
    Capabilities: changeSet.capabilities,
    IncludeNestedStacks: changeSet.nested,
    ParentChangeSetId: changeSet.parent,
    DeploymentMode: changeSet.revertDrift ? 'REVERT_DRIFT' : undefined,
    OnStackFailure: changeSet.onStackFailure,
    Changes: changeSet.changes.map((change) => changeAnswer(hideNoEcho(change, changeSet), values)),
  }
}

/** Values of NoEcho parameters are asterisks in contexts too. */
function hideNoEcho(change: PlannedChange, { processed, parameters }: ChangeSet): PlannedChange {
  const declared = (processed['Parameters'] as { [name: string]: JsonObject } | undefined) ?? {}
  const hidden = Object.entries(parameters)
    .filter(([name, value]) => asText(declared[name]?.['NoEcho'] ?? false) === 'true' && value !== '')
    .map(([, value]) => value)
  const definition = (processed['Resources'] as { [id: string]: JsonObject } | undefined)?.[change.logicalId]
  const expressions = (definition?.['Properties'] as JsonObject | undefined) ?? {}
  const names = Object.keys(expressions).filter((name) => isNoEcho(expressions[name], declared))
  if (hidden.length === 0) return change
  const hide = (text: string | undefined): string | undefined =>
    text && hidden.reduce((all, secret) => all.replaceAll(secret, '****'), text)
  const before = change.before && JSON.parse(change.before)
  for (const name of names) if (before?.Properties?.[name] !== undefined) before.Properties[name] = '****'
  return {
    ...change,
    ...(before && { before: JSON.stringify(before) }),
    ...(change.after && { after: hide(change.after) }),
    details: change.details.map((detail) => ({
      ...detail,
      ...(detail.before !== undefined && { before: names.includes(detail.name ?? '') ? '****' : detail.before }),
      ...(detail.after !== undefined && { after: hide(detail.after) }),
    })),
  }
}

const isNoEcho = (expression: Json | undefined, declared: { [name: string]: JsonObject }): boolean => {
  const name = (expression as { Ref?: string } | undefined)?.Ref
  return typeof name === 'string' && asText(declared[name]?.['NoEcho'] ?? false) === 'true'
}

function changeAnswer(change: PlannedChange, values: boolean): Answer {
  return {
    Type: 'Resource',
    ResourceChange: {
      PolicyAction: change.policyAction,
      Action: change.action,
      LogicalResourceId: change.logicalId,
      PhysicalResourceId: change.physicalId,
      ResourceType: change.type,
      Replacement: change.replacement,
      Scope: change.scope,
      ResourceDriftStatus: change.driftStatus,
      ChangeSetId: change.nestedChangeSet,
      ...(values && {
        BeforeContext: change.before,
        AfterContext: change.after,
        PreviousDeploymentContext: change.previousDeployment,
      }),
      Details: change.details.map((detail) => ({
        Target: {
          Attribute: detail.attribute,
          Name: detail.name,
          RequiresRecreation: detail.recreation,
          ...(values && {
            Path: detail.path,
            BeforeValue: detail.before,
            AfterValue: detail.after,
            AttributeChangeType: detail.changeType,
            Drift: detail.drift && { PreviousValue: detail.drift.previous, ActualValue: detail.drift.actual },
          }),
        },
        Evaluation: detail.evaluation,
        ChangeSource: detail.source,
        CausingEntity: detail.cause,
      })),
    },
  }
}

/** One page of a list. A token that was not given by the double is a ValidationError. */
export function page<T>(
  account: Account,
  all: readonly T[],
  token: string | undefined,
): { items: T[]; NextToken?: string } {
  const start = token === undefined ? 0 : Number(token.replace(/^page-/, ''))
  if (Number.isNaN(start)) throw new ServiceError('ValidationError', 'Invalid NextToken')
  const end = start + account.pageSize
  return { items: all.slice(start, end), ...(end < all.length && { NextToken: `page-${end}` }) }
}
