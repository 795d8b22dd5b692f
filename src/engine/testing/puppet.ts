import type { ApplyResult, DriverPlan, ResourceChange } from '../../domain/plans/plan.ts'
import type { Decision, Grant, Params } from '../../domain/wire/worker-protocol.ts'
import { newId } from '../../lib/ids.ts'
import type { EngineHarness } from './harness.ts'

type Applied = Partial<ApplyResult> & { untouched?: boolean }

/** What the pretended tool says for a stack: a plan per grant, and how the apply goes. */
export interface PuppetScript {
  plan: (grant: Grant) => Partial<DriverPlan> | Promise<Partial<DriverPlan>>
  apply?: (grant: Grant) => Applied | Promise<Applied>
  /** File patches of a run that asks for them. */
  patches?: (grant: Grant) => Params<'plan'>['patches']
}

/** One changed attribute of one resource. */
export function update(
  address: string,
  before: string,
  after: string,
  actions: ResourceChange['actions'] = ['update'],
): ResourceChange {
  return { address, type: 'thing', actions, attributes: [{ path: 'value', before, after }], cause: 'config' }
}

export interface WorkedRun {
  grant: Grant
  decision: Decision
}

/** Works off the queue as a runner would, with the tool's part played by the script. Returns what it did, in order. */
export async function workAll(harness: EngineHarness, script: PuppetScript): Promise<WorkedRun[]> {
  const done: WorkedRun[] = []
  for (;;) {
    await harness.settle()
    const grant = await leaseOne(harness)
    if (!grant) return done
    done.push(await workOne(harness, grant, script))
  }
}

export async function leaseOne(harness: EngineHarness): Promise<Grant | null> {
  const { grant } = await harness.engine.worker.call(harness.workerId, 'lease', { request: newId('req') })
  return grant
}

export async function workOne(harness: EngineHarness, grant: Grant, script: PuppetScript): Promise<WorkedRun> {
  const decision = await planOne(harness, grant, script)
  if (decision.action === 'apply') await finishOne(harness, grant, await applyOne(harness, grant, script))
  await harness.settle()
  return { grant, decision }
}

/** The run up to the server's decision about its plan. */
export async function planOne(harness: EngineHarness, grant: Grant, script: PuppetScript): Promise<Decision> {
  const { worker } = harness.engine
  const held = { runId: grant.runId, fence: grant.fence }
  await worker.call(harness.workerId, 'state', { ...held, state: 'preparing' })
  await worker.call(harness.workerId, 'state', { ...held, state: 'planning' })
  const patches = grant.codify ? script.patches?.(grant) : undefined
  return await sendPlan(harness, grant, await script.plan(grant), patches)
}

/** Applies and reports that. */
export async function applyOne(harness: EngineHarness, grant: Grant, script: PuppetScript): Promise<ApplyResult> {
  const applied: ApplyResult = {
    status: 'applied',
    resources: [],
    outputs: {},
    findings: [],
    ...(await script.apply?.(grant)),
  }
  const held = { runId: grant.runId, fence: grant.fence }
  await harness.engine.worker.call(harness.workerId, 'applied', { ...held, ...applied })
  return applied
}

export async function finishOne(harness: EngineHarness, grant: Grant, applied: ApplyResult): Promise<void> {
  const { worker } = harness.engine
  const held = { runId: grant.runId, fence: grant.fence }
  const failed = applied.status === 'failed'
  if (!failed) await worker.call(harness.workerId, 'state', { ...held, state: 'verifying' })
  const error = { code: 'APPLY_PARTIAL', doing: 'applying', why: 'the puppet was told to fail', next: 'look' }
  await worker.call(harness.workerId, 'finish', {
    ...held,
    status: failed ? 'failed' : 'succeeded',
    verify: [],
    ...(failed && { error }),
  })
}

export async function sendPlan(
  harness: EngineHarness,
  grant: Grant,
  plan: Partial<DriverPlan>,
  patches?: Params<'plan'>['patches'],
): Promise<Decision> {
  return await harness.engine.worker.call(harness.workerId, 'plan', {
    runId: grant.runId,
    fence: grant.fence,
    checks: [],
    ...(patches && { patches }),
    plan: {
      changes: [],
      coverage: { checked: 1, unchecked: [] },
      outputs: {},
      findings: [],
      toolVersions: { puppet: '1.0.0' },
      ...plan,
    },
  })
}
