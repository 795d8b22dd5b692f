import { randomUUID } from 'node:crypto'
import type { CreateChangeSetInput } from '@aws-sdk/client-cloudformation'
import { TrueupError } from '../../../lib/errors/error.ts'
import type { Json } from '../../../lib/json.ts'
import type { DriverContext } from '../../driver.ts'
import type { Cloud } from '../api/cloud.ts'
import { deployedTemplate } from '../api/stacks.ts'
import type { CloudFormationConfig } from '../config.ts'
import { CHANGE_SET_PREFIX } from '../names.ts'
import { createChangeSet } from '../plan/change-set.ts'
import type { PlanRecord } from '../plan/record.ts'
import { templateInput } from '../source/prepare.ts'
import { parseTemplate } from '../template/parse.ts'
import { executeChangeSet } from './execute.ts'
import { type Followed, lostSight } from './follow.ts'
import { succeeded } from './outcome.ts'

interface Healing {
  heal: NonNullable<PlanRecord['heal']>
  stackId: string
  input: CreateChangeSetInput
  planned: ReadonlySet<string>
  untilMs: number
  redact: (text: string) => string
}

/**
 * Brings drift back where AWS offers no drift-aware change sets. The first update makes the deployed template say what is
 * there (for a deleted resource: nothing), which AWS then "writes" without changing anything; the second one brings the
 * wanted template. Before the second, its change set is compared with the plan: nothing else may come with it.
 */
export async function healByTwoUpdates(
  context: DriverContext<CloudFormationConfig>,
  cloud: Cloud,
  { heal, stackId, input, planned, untilMs, redact }: Healing,
): Promise<Followed> {
  const text = await deployedTemplate(cloud, stackId)
  if (text === null)
    throw new TrueupError('PLAN_STALE', { doing: 'healing drift', why: 'the stack has no template any more' })
  const template = parseTemplate(text, 'the deployed template')
  for (const { address, deleted, live, names } of heal) {
    if (deleted) template.set(['Resources', address], undefined)
    else
      for (const name of names) template.set(['Resources', address, 'Properties', name], live[name] as Json | undefined)
  }
  context.log('first update: the template takes over what is there')
  const { TemplateURL: _url, TemplateBody: _body, ...rest } = input
  const name = (step: string): string => `${CHANGE_SET_PREFIX}heal-${step}-${randomUUID().slice(0, 8)}`
  const previous = await deployedParameters(cloud, stackId)
  const first = await createChangeSet(
    cloud,
    {
      ...rest,
      ...(await templateInput(context, cloud, template.write())),
      Parameters: previous,
      ChangeSetName: name('take'),
      ChangeSetType: 'UPDATE',
    },
    { untilMs },
  )
  if (!first.empty) {
    const taken = await executeChangeSet(context, cloud, { changeSetId: first.id, stackId, what: 'update', redact })
    if (!succeeded(taken)) return taken
  }
  context.log('second update: the template as it should be')
  return await secondUpdate(context, cloud, {
    input: { ...input, ChangeSetName: name('back'), ChangeSetType: 'UPDATE' },
    stackId,
    planned,
    untilMs,
    redact,
  })
}

async function secondUpdate(
  context: DriverContext<CloudFormationConfig>,
  cloud: Cloud,
  { input, stackId, planned, untilMs, redact }: Omit<Healing, 'heal'>,
): Promise<Followed> {
  const lost = (why: string) => lostSight(context, '', why)
  try {
    const second = await createChangeSet(cloud, input, { untilMs })
    const others = second.changes
      .map(({ ResourceChange: one }) => one?.LogicalResourceId ?? '')
      .filter((id) => !planned.has(id))
    if (others.length > 0) return lost(`the update would also change ${others.join(', ')}, which was not planned`)
    if (second.empty) return lost('AWS sees nothing to change back')
    return await executeChangeSet(context, cloud, { changeSetId: second.id, stackId, what: 'update', redact })
  } catch (thrown) {
    return lost((thrown as Error).message)
  }
}

/** The parameters of the last deployment, as they are: the first update may change nothing. */
async function deployedParameters(cloud: Cloud, StackName: string) {
  const { Stacks: [stack] = [] } = await cloud.call('reading the parameters of the stack', (api, o) =>
    api.describeStacks({ StackName }, o),
  )
  return (stack?.Parameters ?? []).map(({ ParameterKey }) => ({
    ...(ParameterKey && { ParameterKey }),
    UsePreviousValue: true,
  }))
}
