import { asText } from '../template/text.ts'
import type { DriverPlan, Finding, ResourceChange } from '../../../domain/plans/plan.ts'
import type { DriverContext } from '../../driver.ts'
import type { Cloud } from '../api/cloud.ts'
import { deployedTemplate, findStack, refuseUnready, resourcesOf, stateOf } from '../api/stacks.ts'
import type { CloudFormationConfig } from '../config.ts'
import { placeOfArn } from '../place.ts'
import { resourcesIn } from '../source/expressions.ts'
import { parseTemplate } from '../template/parse.ts'
import { outputFindings } from './exports.ts'
import { writeRecord } from './record.ts'

/** What deleting the stack would delete, and what it keeps. */
export async function planDestroy(context: DriverContext<CloudFormationConfig>, cloud: Cloud): Promise<DriverPlan> {
  const stack = await findStack(cloud)
  const state = stateOf(stack)
  if (state === 'busy') refuseUnready(stack, `planning the removal of stack "${context.stack.name}"`)
  const id = stack?.StackId
  if (stack === null || id === undefined || state === 'absent') {
    await writeRecord(context, { kind: 'nothing', unhealable: [], secrets: [], retained: [] })
    return { changes: [], coverage: { checked: 0, unchecked: [] }, outputs: {}, findings: [], toolVersions: {} }
  }
  const resources = (await resourcesOf(cloud, id)).filter(({ ResourceStatus: status }) => status !== 'DELETE_COMPLETE')
  const text = await deployedTemplate(cloud, id)
  const policies = new Map(
    text === null
      ? []
      : resourcesIn(parseTemplate(text, 'the deployed template').value).map(([name, one]) => [
          name,
          one['DeletionPolicy'],
        ]),
  )
  const changes = resources.map(({ LogicalResourceId: address = '', ResourceType: type = '' }): ResourceChange => {
    const policy = asText(policies.get(address) ?? 'Delete')
    const kept = policy.startsWith('Retain') && policy !== 'RetainExceptOnCreate'
    const reason = kept
      ? 'DeletionPolicy: it is kept and no longer managed'
      : policy === 'Snapshot'
        ? 'a snapshot is kept'
        : ''
    return {
      address,
      type,
      actions: [kept ? 'forget' : 'delete'],
      attributes: [],
      cause: 'config',
      ...(reason && { reason }),
    }
  })
  await writeRecord(context, {
    kind: 'destroy',
    stackId: id,
    status: stack.StackStatus ?? '',
    unhealable: [],
    secrets: [],
    retained: changes.filter(({ actions }) => actions.includes('forget')).map(({ address }) => address),
    ...(stack.LastUpdatedTime && { lastUpdated: stack.LastUpdatedTime.toISOString() }),
  })
  const findings: Finding[] = stack.EnableTerminationProtection
    ? [
        {
          severity: 'warning',
          code: 'termination_protected',
          message: `the stack ${cloud.stackName} has termination protection: it cannot be destroyed before that is switched off`,
        },
      ]
    : []
  findings.push(...(await outputFindings(cloud, stack, null)))
  return {
    changes: changes.length > 0 ? changes : [emptyStack(cloud)],
    coverage: { checked: resources.length, unchecked: [] },
    outputs: {},
    findings,
    toolVersions: {},
    places: placeOfArn(id, cloud.endpoint),
  }
}

const emptyStack = (cloud: Cloud): ResourceChange => ({
  address: `stack:${cloud.stackName}`,
  type: 'AWS::CloudFormation::Stack',
  actions: ['delete'],
  attributes: [],
  cause: 'config',
  reason: 'it has no resources',
})
