import type { AppliedResource, ApplyResult, DriverPlan, Finding } from '../../../domain/plans/plan.ts'
import { digestOf } from '../../../lib/digest.ts'
import { asTrueupError, TrueupError } from '../../../lib/errors/error.ts'
import type { DriverContext } from '../../driver.ts'
import { redactionFor } from '../../values/redaction.ts'
import type { KubernetesConfig } from '../config.ts'
import { clearHooks, execute, type Execution, gone } from './execute.ts'
import { awaitHealth, CUT_SHORT, isCutShort, patienceOf } from '../health/wait.ts'
import {
  deleteInventory,
  type Inventory,
  inventoryPlace,
  type InventoryPlace,
  readInventory,
  sameEntries,
  sameKeys,
  writeInventory,
} from '../plan/inventory.ts'
import { readLive, type Target } from '../cluster/live.ts'
import { keyOf } from '../objects/object.ts'
import { inParallel } from '../cluster/parallel.ts'
import { warningFindings } from '../cluster/warnings.ts'
import { openSession, type Session } from '../session.ts'
import { type Stage, stagesOf } from '../plan/stages.ts'
import { keptSteps, type PreparedPlan, type Step } from '../plan/steps.ts'
import { seenText } from '../plan/survey.ts'

/**
 * Does the steps of the preceding plan. PLAN_STALE where an object that would be changed is not any more what the plan saw;
 * that is looked at before the first write.
 */
export async function apply(context: DriverContext<KubernetesConfig>, plan: DriverPlan): Promise<ApplyResult> {
  const prepared = await keptSteps(context)
  const redact = redactionFor(context, prepared.secrets).text
  const session = await openSession(context)
  const place = inventoryPlace(context, session)
  const before = await readInventory(session, place, context.signal)
  await assertFresh(context, session, prepared.steps)
  const over = new AbortController()
  const work: Work = {
    context,
    session,
    place,
    prepared,
    before,
    execution: {
      session,
      signal: AbortSignal.any([context.signal, over.signal]),
      patience: patienceOf(context),
      awaitsEnd: context.config.wait,
      ends: new Map(),
    },
    lingering: [],
    resources: new Map(plan.changes.map(({ address, actions }) => [address, { address, actions, status: 'skipped' }])),
    findings: [],
    inventoryStored: false,
  }
  const status = await run(work).finally(() => over.abort())
  const written = prepared.steps.filter((step): step is Step & Target => step.resource !== null)
  const told = new Set(plan.findings.map(({ message }) => message))
  work.findings.push(...warningFindings(session.client, written).filter(({ message }) => !told.has(message)))
  const clean = ({ message, ...rest }: AppliedResource): AppliedResource =>
    message === undefined ? rest : { ...rest, message: redact(message) }
  return {
    status,
    resources: [...work.resources.values()].map(clean),
    outputs: {},
    findings: work.findings.map((finding) => ({ ...finding, message: redact(finding.message) })),
  }
}

interface Work {
  context: DriverContext<KubernetesConfig>
  session: Session
  place: InventoryPlace
  prepared: PreparedPlan
  before: Inventory
  execution: Execution
  resources: Map<string, AppliedResource>
  findings: Finding[]
  inventoryStored: boolean
  /** Deleted, and not gone when that was not waited for: not forgotten. */
  lingering: Step[]
}

async function run(work: Work): Promise<ApplyResult['status']> {
  const { context, prepared } = work
  try {
    for (const stage of stagesOf(prepared.steps)) {
      // Namespaces come before the inventory, which may live in one of them.
      const isFirst = stage.steps.every(({ rank, act }) => rank === 0 && act !== 'delete')
      if (!isFirst) await storeIntent(work)
      await runStage(work, stage)
      if (stage.inOrder && !hasFailed(work) && !context.signal.aborted) await clearHooks(work.execution, stage.steps)
      if (hasFailed(work)) return context.signal.aborted ? 'canceled' : 'failed'
      if (context.signal.aborted) return 'canceled'
      // Without its definition an object cannot be made at all, so these are waited for in any case.
      const waits = stage.waits === 'healthy' && (context.config.wait || isFirst)
      const health = waits ? await stageHealthy(work, stage) : 'healthy'
      if (health !== 'healthy') return context.signal.aborted || health === 'cut short' ? 'canceled' : 'failed'
      if (stage.waits === 'gone') await stageGone(work, stage)
      if (hasFailed(work)) return context.signal.aborted ? 'canceled' : 'failed'
    }
    await ended(work)
    if (hasFailed(work)) return context.signal.aborted ? 'canceled' : 'failed'
    await storeResult(work)
    return 'applied'
  } catch (thrown) {
    const error = asTrueupError(thrown, `applying stack "${context.stack.name}"`)
    const done = [...work.resources.values()].some(({ status }) => status !== 'skipped')
    // Before the first write nothing was changed, and the error says so itself.
    if (!done && !work.inventoryStored) throw error
    if (error.code !== 'CANCELED')
      work.findings.push({ severity: 'error', code: error.code.toLowerCase(), message: error.explain() })
    return context.signal.aborted ? 'canceled' : 'failed'
  }
}

async function runStage(work: Work, { steps, inOrder }: Stage): Promise<void> {
  const { context } = work
  let stopped = false
  await inParallel(steps, inOrder ? 1 : context.config.concurrency, async (step) => {
    if (stopped || context.signal.aborted) return
    const resource = work.resources.get(step.address)
    try {
      await execute(work.execution, step)
      if (resource) resource.status = 'done'
    } catch (thrown) {
      const error = asTrueupError(thrown, `applying ${step.address}`)
      // What is sent may have arrived before the cancel: it is not said to be undone.
      if (resource) Object.assign(resource, { status: 'failed', message: messageOf(error) })
      if (inOrder || error.code === 'TARGET_UNREACHABLE') stopped = true
    }
  })
}

const messageOf = ({ text }: TrueupError): string => (text.next ? `${text.why}. ${text.next}` : text.why)

const hasFailed = ({ resources }: Work): boolean => [...resources.values()].some(({ status }) => status === 'failed')

async function stageHealthy(work: Work, { steps }: Stage): Promise<'healthy' | 'not healthy' | 'cut short'> {
  const targets = steps.filter((step): step is Step & Target => step.resource !== null)
  await ended(work)
  if (hasFailed(work)) return 'not healthy'
  const verdicts = await awaitHealth(work.context, work.session, targets)
  const cutShort = isCutShort(work.context, verdicts)
  for (const { address, state, why } of verdicts) {
    if (state === 'healthy') continue
    const resource = work.resources.get(address)
    const message = `it is not healthy, and later steps wait for it: ${why}${cutShort ? `; ${CUT_SHORT}` : ''}`
    if (resource) Object.assign(resource, { status: 'failed', message })
  }
  if (cutShort) return 'cut short'
  return verdicts.every(({ state }) => state === 'healthy') ? 'healthy' : 'not healthy'
}

/** The Jobs that nobody could look at later: how they have ended. */
async function ended({ execution, resources }: Work): Promise<void> {
  for (const [address, end] of execution.ends) {
    const { state, why } = await end
    const resource = resources.get(address)
    if (resource && state !== 'healthy') Object.assign(resource, { status: 'failed', message: why })
  }
}

async function stageGone(work: Work, { steps }: Stage): Promise<void> {
  await inParallel(steps, work.context.config.concurrency, async (step) => {
    try {
      if (!(await gone(work.execution, step))) work.lingering.push(step)
    } catch (thrown) {
      const message = messageOf(asTrueupError(thrown, `deleting ${step.address}`))
      const resource = work.resources.get(step.address)
      if (resource) Object.assign(resource, { status: 'failed', message })
    }
  })
}

/** Objects that the plan saw are as it saw them. Others that have come meanwhile are met when they are written. */
async function assertFresh(
  context: DriverContext<KubernetesConfig>,
  session: Session,
  steps: readonly Step[],
): Promise<void> {
  const looked = steps.filter((step): step is Step & Target => step.seen !== '' && step.resource !== null)
  const reading = { concurrency: context.config.concurrency, signal: context.signal }
  const live = await readLive(session.client, looked, reading)
  const changed = looked.filter(({ key, seen, act }) => {
    const object = live.get(key)
    // What was to be deleted and is gone is as good.
    if (object === undefined) return act !== 'delete'
    return digestOf(seenText(object)) !== seen
  })
  if (changed.length === 0) return
  throw new TrueupError('PLAN_STALE', {
    doing: `applying stack "${context.stack.name}"`,
    why: `${changed
      .slice(0, 5)
      .map(({ address }) => address)
      .join(', ')} changed since the plan was made`,
  })
}

/** Before the first object is made, the inventory names it: whatever happens then, it is found again. */
async function storeIntent(work: Work): Promise<void> {
  if (work.inventoryStored) return
  const { prepared, before, session, place, context } = work
  const objects = new Map(before.objects)
  const hooks = new Map(before.hooks)
  let isNew = false
  for (const { ref, hook } of prepared.entries) {
    const [list, key] = [hook ? hooks : objects, keyOf(ref)]
    if (list.has(key)) continue
    isNew = true
    list.set(key, { ref, hash: '' })
  }
  const { elsewhere } = before
  // What is adopted is known as such before it becomes ours; what is made anew becomes our own when it is there.
  const adopted = new Set([...before.adopted, ...prepared.adopted])
  isNew ||= adopted.size > before.adopted.size
  const intent = { ...before, objects, hooks, adopted }
  if ((isNew || elsewhere) && !context.destroy) await writeInventory(session, place, intent)
  // What stands in the one at the new place need not stand in the old one as well.
  if (elsewhere && !context.destroy) await deleteInventory(session, elsewhere)
  work.inventoryStored = true
}

async function storeResult({ context, session, place, prepared, before, lingering }: Work): Promise<void> {
  const keeps = [...prepared.kept, ...lingering.map(({ ref, hash }) => ({ ref, hash }))]
  if (context.destroy) {
    const its = before.elsewhere ?? place
    if (keeps.length === 0) return deleteInventory(session, its)
    const kept = new Map(keeps.map((entry) => [keyOf(entry.ref), entry]))
    const adopted = new Set(prepared.adopted.filter((key) => kept.has(key)))
    const rest = { exists: true, hooks: new Map(), desired: '', renderer: '' }
    return writeInventory(session, its, { ...rest, objects: kept, adopted })
  }
  const entriesOf = (hook: boolean): Inventory['objects'] =>
    new Map(prepared.entries.filter((entry) => entry.hook === hook).map((entry) => [keyOf(entry.ref), entry]))
  const objects = entriesOf(false)
  for (const entry of keeps) objects.set(keyOf(entry.ref), entry)
  const hooks = new Map([...before.hooks, ...entriesOf(true)])
  const adopted = new Set(prepared.adopted.filter((key) => objects.has(key)))
  const isSame =
    before.exists &&
    before.desired === prepared.desired &&
    before.renderer === prepared.renderer &&
    sameEntries(before.objects, objects) &&
    sameEntries(before.hooks, hooks) &&
    sameKeys(before.adopted, adopted)
  const { desired, renderer } = prepared
  if (!isSame) await writeInventory(session, place, { exists: true, objects, hooks, adopted, desired, renderer })
}
