import { randomUUID } from 'node:crypto'
import type { Stack } from '@aws-sdk/client-cloudformation'
import type { ApplyResult, DriverPlan, Finding } from '../../../domain/plans/plan.ts'
import { TrueupError } from '../../../lib/errors/error.ts'
import type { DriverContext } from '../../driver.ts'
import { redactionFor } from '../../values/redaction.ts'
import { type Cloud, openCloud, throwIfStopped } from '../api/cloud.ts'
import { findStack, refuseUnready } from '../api/stacks.ts'
import { upload } from '../source/upload.ts'
import type { CloudFormationConfig } from '../config.ts'
import { CHANGE_SET_PREFIX, stackAddress } from '../names.ts'
import { createChangeSet } from '../plan/change-set.ts'
import { outputsOf } from '../plan/outputs.ts'
import { type PlanRecord, readRecord } from '../plan/record.ts'
import { applySettings } from '../plan/settings.ts'
import { type Prepared, prepare, readSource, type Source } from '../source/prepare.ts'
import { executeChangeSet } from './execute.ts'
import { type Followed, lostSight } from './follow.ts'
import { healByTwoUpdates } from './heal.ts'
import { allDone, succeeded, unsuccessful } from './outcome.ts'
import { removeStack } from './remove.ts'

interface Applying {
  context: DriverContext<CloudFormationConfig>
  cloud: Cloud
  plan: DriverPlan
  record: PlanRecord
  stack: Stack | null
  redact: (text: string) => string
}

/** Does exactly what was planned. PLAN_STALE where the stack or its change set is not what it was then. */
export async function apply(context: DriverContext<CloudFormationConfig>, plan: DriverPlan): Promise<ApplyResult> {
  const record = await readRecord(context)
  const redact = redactionFor(context, record.secrets).text
  const cloud = await openCloud(context)
  try {
    throwIfStopped(context.signal, `applying stack "${context.stack.name}"`)
    const stack = await findStack(cloud)
    refuseStale(context, record, stack)
    const applying: Applying = { context, cloud, plan, record, stack, redact }
    return record.kind === 'destroy' ? await destroyed(applying) : await changed(applying)
  } finally {
    cloud.close()
  }
}

function refuseStale({ stack: its }: DriverContext<unknown>, record: PlanRecord, stack: Stack | null): void {
  const doing = `applying stack "${its.name}"`
  refuseUnready(record.kind === 'destroy' && (stack?.StackStatus ?? '').endsWith('_FAILED') ? null : stack, doing)
  const now = {
    stackId: stack?.StackId,
    lastUpdated: stack?.LastUpdatedTime?.toISOString(),
  }
  // A first plan makes the stack itself, empty, together with its change set.
  const isNew = record.type === 'CREATE' || record.type === 'IMPORT'
  if (record.stackId === undefined && (isNew || stack === null)) return
  if (now.stackId === record.stackId && now.lastUpdated === record.lastUpdated) return
  throw new TrueupError('PLAN_STALE', {
    doing,
    why:
      now.stackId === record.stackId
        ? `the stack was updated at ${now.lastUpdated}, after the plan`
        : 'it is another stack than the planned one',
  })
}

async function changed(applying: Applying): Promise<ApplyResult> {
  const { context, cloud, plan, record } = applying
  const source = await readSource(context)
  if (record.kind === 'nothing') {
    return { status: 'applied', resources: [], outputs: await outputs(applying, source), findings: [] }
  }
  const followed = record.kind === 'settings' ? undefined : await operation(applying, source)
  if (followed !== undefined && !succeeded(followed, /^(CREATE|UPDATE|IMPORT)_COMPLETE$/)) {
    return await unsuccessful(cloud, plan, followed, applying.redact)
  }
  const findings: Finding[] = []
  const resources = allDone(plan.changes)
  for (const { address, why } of record.unhealable) {
    const one = resources.find((resource) => resource.address === address)
    if (one) Object.assign(one, { status: 'failed', message: `CloudFormation cannot bring it back here: ${why}` })
  }
  const settings = plan.changes.find(
    ({ address, actions }) => address === stackAddress(cloud.stackName) && actions.includes('update'),
  )
  if (settings) {
    try {
      await applySettings(context, cloud, settings)
    } catch (thrown) {
      const one = resources.find(({ address }) => address === settings.address)
      Object.assign(one ?? {}, { status: 'failed', message: applying.redact((thrown as Error).message) })
    }
  }
  const failed = resources.some(({ status }) => status === 'failed')
  try {
    return { status: failed ? 'failed' : 'applied', resources, outputs: await outputs(applying, source), findings }
  } catch (thrown) {
    findings.push({ severity: 'error', code: 'outputs_unread', message: applying.redact((thrown as Error).message) })
    return { status: 'failed', resources, outputs: {}, findings }
  }
}

/** Everything that AWS does for this plan, as one operation that is followed; undefined where it has nothing to do. */
async function operation(applying: Applying, source: Source): Promise<Followed | undefined> {
  const { context, cloud, record, redact, stack } = applying
  const prepared = await prepare(context, cloud, source)
  await upload(cloud, context.config.bucket ?? '', prepared.code, context)
  if (record.kind === 'recreate') return await recreate(applying, prepared)
  if (record.kind === 'heal' && (record.heal?.length ?? 0) > 0) {
    const planned = new Set(applying.plan.changes.map(({ address }) => address))
    const input = { ...prepared.input, ChangeSetName: '' }
    const stackId = stack?.StackId ?? cloud.stackName
    return await healByTwoUpdates(context, cloud, {
      heal: record.heal ?? [],
      stackId,
      input,
      planned,
      redact,
      untilMs: untilMs(context),
    })
  }
  if (record.changeSetId === undefined) return undefined
  const what = record.type === 'UPDATE' ? 'update' : 'create'
  const stackId = stack?.StackId ?? cloud.stackName
  return await executeChangeSet(context, cloud, { changeSetId: record.changeSetId, stackId, what, redact })
}

const untilMs = ({ config }: DriverContext<CloudFormationConfig>): number =>
  Date.now() + config.planTimeoutMinutes * 60_000

/** Deletes the stack that a failed creation has left, and creates it anew. */
async function recreate({ context, cloud, stack, redact }: Applying, prepared: Prepared): Promise<Followed> {
  if (stack !== null) {
    const removed = await removeStack(context, cloud, { stack, redact })
    if (removed.status !== 'DELETE_COMPLETE') return removed
  }
  const lost = (why: string) => lostSight(context, 'DELETE_COMPLETE', why)
  try {
    const name = `${CHANGE_SET_PREFIX}deploy-${randomUUID().slice(0, 8)}`
    const made = await createChangeSet(
      cloud,
      { ...prepared.input, ChangeSetName: name, ChangeSetType: 'CREATE', OnStackFailure: context.config.onFailure },
      { untilMs: untilMs(context) },
    )
    return await executeChangeSet(context, cloud, {
      changeSetId: made.id,
      stackId: made.stackId,
      what: 'create',
      redact,
    })
  } catch (thrown) {
    return lost((thrown as Error).message)
  }
}

async function outputs({ context, cloud }: Applying, source: Source): Promise<ApplyResult['outputs']> {
  const stack = await findStack(cloud, { detached: true })
  const facts = {
    template: source.template.value,
    parameters: source.parameters.values,
    sensitive: source.parameters.sensitive,
  }
  return outputsOf(stack, facts, (secret) => context.mask(secret))
}

async function destroyed({ context, cloud, plan, record, stack, redact }: Applying): Promise<ApplyResult> {
  if (stack === null) return { status: 'applied', resources: allDone(plan.changes), outputs: {}, findings: [] }
  const followed = await removeStack(context, cloud, { stack, redact })
  if (followed.lost !== undefined || followed.status !== 'DELETE_COMPLETE')
    return await unsuccessful(cloud, plan, followed, redact)
  const kept = record.retained
  const findings: Finding[] =
    kept.length === 0
      ? []
      : [
          {
            severity: 'info',
            code: 'retained',
            message: `kept by their DeletionPolicy, and no longer managed: ${kept.join(', ')}`,
          },
        ]
  return { status: 'applied', resources: allDone(plan.changes), outputs: {}, findings }
}
