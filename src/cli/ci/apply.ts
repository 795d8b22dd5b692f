import { decideDeploy } from '../../domain/gates/deploy-decision.ts'
import { completePlan } from '../../domain/plans/complete.ts'
import { isInSync } from '../../domain/plans/summary.ts'
import type { Output, Plan } from '../../domain/plans/plan.ts'
import { deployWindow } from '../../domain/windows/windows.ts'
import { stackCapabilities } from '../../engine/driver-capabilities.ts'
import type { StackSource } from '../../engine/snapshot/snapshot.ts'
import { asTrueupError, type ErrorBody, TrueupError } from '../../lib/errors/error.ts'
import { broughtBy } from './brought.ts'
import { desiredState, orderFor, variablesOf } from './orders.ts'
import { deployedFiles } from './plan.ts'
import { assertGoing, type Pipeline } from './pipeline.ts'
import { rulesFor } from './rules.ts'
import type { Held, StackRecord } from './state.ts'
import { inOrder, type ReadTree } from './trees.ts'
import { assertVouched, commentVoucher, fileVoucher, type Vouchers } from './vouched-plans.ts'

export type AppliedState =
  | 'deployed'
  | 'destroyed'
  | 'unchanged'
  /** A newer merge is being deployed, or was. */
  | 'outdated'
  /** Its upstream stack is not as it has to be. */
  | 'waiting'
  /** It left Git and stays where it is. */
  | 'kept'
  | 'failed'

export interface AppliedStack {
  /** environment/name */
  stack: string
  state: AppliedState
  plan?: Plan
  error?: ErrorBody
  why?: string
}

export interface ApplyReport {
  commit: string
  /** The newest merge that pipelines are deploying: another one than `commit` makes this one outdated. */
  newest: string
  stacks: AppliedStack[]
}

export interface ApplyOrder {
  /** A revision of the checkout. */
  commit: string
  /** Text of a file of plans, and its name; absent: comments on merge requests vouch for plans. */
  plans?: { file: string; text: string }
  /** Goes on where an apply was cut off that cannot simply be repeated. */
  retryLost: boolean
}

/** Exit code of `trueup ci apply`. */
export const exitOfApply = ({ stacks }: ApplyReport): 0 | 1 =>
  stacks.some(({ state }) => state === 'failed' || state === 'waiting') ? 1 : 0

/** Deploys a commit of the default branch: every stack that is not as it says, upstream stacks first. */
export async function applyPipeline(pipeline: Pipeline, order: ApplyOrder): Promise<ApplyReport> {
  const { checkout, trees, state } = pipeline
  const commit = await checkout.commit(order.commit, 'what is to be deployed')
  const tree = await trees.read(commit)
  const newest = await state.announce(commit)
  const vouchers = order.plans
    ? await fileVoucher(pipeline, order.plans.text, { file: order.plans.file, commit })
    : commentVoucher(pipeline, broughtBy(pipeline, commit, tree))
  const stacks: AppliedStack[] = []
  const records = await state.look()
  const job: Job = { pipeline, commit, tree, vouchers, retryLost: order.retryLost, outdatedBy: newest, records }
  const bad = new Set<string>()
  for (const source of inOrder(tree)) {
    const { key: stack, needs } = source.definition
    const upstream = needs.find((need) => bad.has(need))
    const done: AppliedStack = upstream
      ? { stack, state: 'waiting', why: `${upstream} comes first` }
      : await applied(job, source)
    if (done.state === 'failed' || done.state === 'waiting') bad.add(stack)
    stacks.push(done)
    assertGoing(pipeline, 'deploying')
  }
  // What is written down changes meanwhile.
  const left = [...records].filter(([stack]) => !tree.stacks.has(stack))
  for (const [stack, record] of left) stacks.push(...(await removed(job, stack, record)))
  return { commit, newest, stacks }
}

interface Job {
  pipeline: Pipeline
  commit: string
  tree: ReadTree
  vouchers: Vouchers
  retryLost: boolean
  /** The newest merge that is being deployed, as far as is known. */
  outdatedBy: string
  /**
   * Seen once, after our merge was announced: an older pipeline that takes a stack later sees ours and lets go, and one that had
   * it before is seen with its lease.
   */
  records: ReadonlyMap<string, StackRecord>
}

/** Whether a newer merge is on its way: asked with the stack in hand, so that one of the two sees the other. */
async function overtaken(job: Job): Promise<string | null> {
  job.outdatedBy = await job.pipeline.state.announce(job.commit)
  return knownNewer(job)
}

const knownNewer = ({ outdatedBy, commit }: Job): string | null => (outdatedBy === commit ? null : outdatedBy)

const outdated = (stack: string, newest: string): AppliedStack => ({
  stack,
  state: 'outdated',
  why: `${newest.slice(0, 12)} is a newer merge`,
})

const failed = (stack: string, thrown: unknown, plan?: Plan): AppliedStack => ({
  stack,
  state: 'failed',
  ...(plan && { plan }),
  error: asTrueupError(thrown, `deploying ${stack}`).toJSON(),
})

function outputsIn({ pipeline: { state }, records }: Job) {
  return (stack: string): { [name: string]: Output } | null => {
    const deployed = records.get(stack)?.deployed
    return deployed ? state.outputsOf(deployed) : null
  }
}

async function applied(job: Job, source: StackSource): Promise<AppliedStack> {
  const { pipeline, commit } = job
  const { state, hash, say } = pipeline
  const { key: stack } = source.definition
  let held: Held | undefined
  try {
    const record = job.records.get(stack)
    const desired = await desiredState(source, outputsIn(job), { hash })
    // A stack in somebody's hands is waited for, even where it is as it should be: whoever has it may make it another.
    if (record?.deployed?.digest === desired.digest && !record.lease && !record.broken)
      return { stack, state: 'unchanged' }
    const before = knownNewer(job)
    if (before) return outdated(stack, before)
    held = await state.take(stack)
    const newest = await overtaken(job)
    if (newest) {
      await held.release({ ...(held.record.broken && { broken: held.record.broken }) })
      return outdated(stack, newest)
    }
    if (held.record.deployed?.digest === desired.digest && !held.record.broken) {
      await held.release({})
      return { stack, state: 'unchanged' }
    }
    say(`${stack}: deploying ${commit.slice(0, 12)}`)
    return await execute(job, { source, held, desired, kind: 'deploy', commit })
  } catch (thrown) {
    await giveBack(held)
    return failed(stack, thrown)
  }
}

/** As it was taken; what another pipeline has taken over is its own. */
const giveBack = async (held: Held | undefined): Promise<void> =>
  await held?.release({ ...(held.record.broken && { broken: held.record.broken }) }).catch((thrown: unknown) => {
    if (asTrueupError(thrown, 'giving a stack back').code === 'INTERNAL') throw thrown
  })

/** A stack that left Git: destroyed where it had said so when it was deployed. */
async function removed(job: Job, stack: string, record: StackRecord): Promise<AppliedStack[]> {
  const { pipeline } = job
  const { deployed } = record
  if (!deployed) return []
  const source = (await pipeline.trees.find(deployed.commit))?.stacks.get(stack)
  if (source?.definition.onRemove !== 'destroy')
    return [{ stack, state: 'kept', why: 'it left Git and stays (onRemove)' }]
  let held: Held | undefined
  try {
    const before = knownNewer(job)
    if (before) return [outdated(stack, before)]
    held = await pipeline.state.take(stack)
    const newest = await overtaken(job)
    if (newest) {
      await giveBack(held)
      return [outdated(stack, newest)]
    }
    const desired = await desiredState(source, () => null, { hash: pipeline.hash, destroy: true })
    return [await execute(job, { source, held, desired, kind: 'destroy', commit: deployed.commit })]
  } catch (thrown) {
    await giveBack(held)
    return [failed(stack, thrown)]
  }
}

interface Execute {
  source: StackSource
  held: Held
  desired: Awaited<ReturnType<typeof desiredState>>
  kind: 'deploy' | 'destroy'
  commit: string
}

/** Plans anew, holds the plan against the one that is vouched for, applies, and writes down what came of it. */
async function execute(job: Job, { source, held, desired, kind, commit }: Execute): Promise<AppliedStack> {
  const { pipeline } = job
  const { bench, surroundings, hash, secrets, say, state } = pipeline
  const { definition } = source
  const { key: stack, ignore, unstable } = definition
  const { deployed, broken } = held.record
  const before = await deployedFiles(pipeline, deployed, stack)
  let plan: Plan | undefined
  let began = false
  const grant = orderFor({
    kind,
    repository: surroundings.repository,
    commit,
    source,
    desired,
    deployedDiffers: before !== undefined && before.commit !== commit,
    hash,
    secrets,
  })
  const end = await bench.execute({
    grant,
    definition,
    ...(before && { deployed: before }),
    lost: held.lost,
    onLine: (line) => say(`${stack} | ${line}`),
    async decide({ plan: found }) {
      plan = completePlan(found, { desiredDigest: desired.digest, ignore, unstable, cause: null })
      if (isInSync(plan)) return { action: 'stop', reason: 'unchanged' }
      await judge(job, source, plan, { kind, lost: broken?.lost === true })
      await held.applying()
      began = true
      return { action: 'apply', variables: variablesOf({ source, secrets }) }
    },
  })
  if (!plan && !end.finish?.error)
    throw new TrueupError('CANCELED', { doing: `deploying ${stack}`, why: 'it was stopped before there was a plan' })
  const gone = end.finish?.error
  const untouched = !began || end.applied?.untouched === true
  if (gone || (end.finish && end.finish.status !== 'succeeded')) {
    const why = gone ? gone.why : 'it was stopped'
    const lost = broken?.lost === true && untouched
    await held.release(
      untouched
        ? { ...(broken && { broken: { ...broken, lost } }) }
        : { broken: { commit: job.commit, why, lost: false } },
    )
    return {
      stack,
      state: 'failed',
      ...(plan && { plan }),
      error:
        (gone as ErrorBody | undefined) ?? new TrueupError('CANCELED', { doing: `deploying ${stack}`, why }).toJSON(),
    }
  }
  if (kind === 'destroy') {
    await held.remove()
    return { stack, state: 'destroyed', plan: plan! }
  }
  const outputs = end.applied?.outputs ?? known(plan!.outputs, deployed ? state.outputsOf(deployed) : {})
  const at = Date.now()
  await held.release({ deployed: { commit, digest: desired.digest, ...state.sealed(outputs), at } })
  return { stack, state: end.applied ? 'deployed' : 'unchanged', plan: plan! }
}

/** Where nothing was to be done, the plan's outputs are what there is; a driver may not foretell them all. */
function known(planned: { [name: string]: Output }, before: { [name: string]: Output }): { [name: string]: Output } {
  const told = Object.entries(planned).filter(([, { unknown, sensitive }]) => !unknown && !sensitive)
  return { ...before, ...Object.fromEntries(told) }
}

/** Throws why a plan is not to be applied. */
async function judge(
  { tree, vouchers, retryLost }: Job,
  { definition }: StackSource,
  plan: Plan,
  { kind, lost }: { kind: 'deploy' | 'destroy'; lost: boolean },
): Promise<void> {
  const { key: stack } = definition
  const rules = rulesFor(definition, [tree.config], { mr: null, kind })
  const window = deployWindow({ windows: rules.environment.windows, freezes: [], at: Date.now() })
  if (!window.open)
    throw new TrueupError('CONFLICT', {
      doing: `deploying ${stack}`,
      why: window.reason ?? 'it is outside the window',
      next: 'Run the job again within the window.',
    })
  const isAgain = lost && !retryLost && !stackCapabilities(definition).idempotentApply
  assertVouched(stack, plan, await vouchers(stack))
  const decision = decideDeploy({
    kind,
    plan,
    approved: null,
    // It is the vouched one, or less of it.
    approvedHere: !isAgain,
    protected: true,
    policies: rules.policies(plan),
    brake: null,
    afterLostApply: isAgain,
    quarantined: false,
    unplannable: rules.environment.unplannable,
  })
  if (decision.action === 'apply' || decision.action === 'nothing') return
  throw new TrueupError('MR_BLOCKED', {
    doing: `deploying ${stack}`,
    why: decision.message,
    ...(isAgain && { next: 'Look at what the ended job has left, then run it with --retry-lost.' }),
  })
}
