import { affectedStacks } from '../../engine/snapshot/affected.ts'
import type { StackSource } from '../../engine/snapshot/snapshot.ts'
import { completePlan } from '../../domain/plans/complete.ts'
import type { Output, Plan } from '../../domain/plans/plan.ts'
import type { PolicyFacts } from '../../domain/policies/policy.ts'
import { asTrueupError, TrueupError } from '../../lib/errors/error.ts'
import { canonicalJson } from '../../lib/json.ts'
import { desiredState, orderFor } from './orders.ts'
import { assertGoing, type Pipeline } from './pipeline.ts'
import { type How, isRefused, type PlannedStack, type PlanReport } from './planned.ts'
import { rulesFor } from './rules.ts'
import type { DeployedRecord, StackRecord } from './state.ts'
import { inOrder, type ReadTree } from './trees.ts'
import { vouch } from './vouching.ts'

export interface PlanOrder {
  /** What is to be merged, or deployed: a revision of the checkout. */
  head: string
  /** What it is to be merged into; absent where it is to be deployed as it is. */
  target?: string
  /** It is signed for a comment, which holds less than a file. */
  short: boolean
}

/** The trees of a plan: as it would be, and what it is compared with. */
interface Sides {
  head: string
  target: string | null
  /** Commit whose files are planned. */
  commit: string
  after: ReadTree
  before: ReadTree | null
}

/** Plans what merging a head into its target would change, or what deploying a commit would. */
export async function planPipeline(pipeline: Pipeline, order: PlanOrder): Promise<PlanReport> {
  const { key, surroundings, state, say } = pipeline
  const sides = await sidesOf(pipeline, order)
  const records = await state.look()
  const mr = sides.target === null ? null : await mrFacts(pipeline)
  const stacks: PlannedStack[] = []
  /** As they would be after what is planned here. */
  const outputs = new Map<string, { [name: string]: Output }>()
  for await (const { source, how, commit } of chosen(pipeline, sides, records, outputs)) {
    const { key: stack, driver } = source.definition
    say(`planning ${stack} (${driver})`)
    const found = await planOne(pipeline, { source, how, commit, sides, records, outputs, mr })
    if (found.plan) outputs.set(stack, found.plan.outputs)
    stacks.push(found)
    assertGoing(pipeline, 'planning')
  }
  const { head, target } = sides
  const { change, repository } = surroundings
  // What must not be merged is vouched for by nobody.
  const good = stacks.filter((one) => one.plan !== undefined && !isRefused(one))
  const plans = new Map(good.map(({ stack, plan }): [string, Plan] => [stack, plan!]))
  const about = { repository, change: target === null ? null : change, head, target }
  const vouched = key && (await vouch(key, about, plans, { short: order.short }))
  return { change: about.change, head, target, stacks, signed: vouched !== null, vouched }
}

async function sidesOf({ checkout, trees }: Pipeline, { head: named, target: into }: PlanOrder): Promise<Sides> {
  const head = await checkout.commit(named, 'what is to be planned')
  if (into === undefined) return { head, target: null, commit: head, after: await trees.read(head), before: null }
  const target = await checkout.commit(into, 'the target branch')
  const { repository } = checkout
  const merged = await repository.mergeTree(target, head)
  if (!merged.clean)
    throw new TrueupError('MR_CONFLICT', {
      doing: `merging ${head.slice(0, 12)} into ${into}`,
      why: `in conflict: ${merged.conflicts.slice(0, 10).join(', ')}`,
    })
  const author = { name: 'Trueup', email: 'trueup@localhost', at: 0 }
  const { tree } = merged
  const commit = await repository.commitTree({ tree, parents: [target, head], message: 'merge result\n', author })
  // Where the target cannot be read, everything is new.
  return { head, target, commit, after: await trees.read(tree), before: await trees.find(target) }
}

interface Chosen {
  source: StackSource
  how: How
  /** Commit whose files of it are planned. */
  commit: string
}

/** The stacks to plan, upstream first. Whether one follows from another is known only when that is planned. */
async function* chosen(
  pipeline: Pipeline,
  { after, before, commit, target }: Sides,
  records: ReadonlyMap<string, StackRecord>,
  outputs: ReadonlyMap<string, { [name: string]: Output }>,
): AsyncGenerator<Chosen> {
  const affected = new Map((before ? affectedStacks(before, after) : []).map(({ key, how }) => [key, how]))
  const isPending = async (source: StackSource): Promise<boolean> => {
    const deployed = records.get(source.definition.key)?.deployed
    if (!deployed) return true
    const known = knownOutputs(pipeline, records)
    const now = await desiredState(source, known, { hash: pipeline.hash }).catch(() => null)
    return now?.digest !== deployed.digest
  }
  for (const source of inOrder(after)) {
    const { key } = source.definition
    const how = affected.get(key)
    if (how) yield { source, how, commit }
    else if (target !== null && before === null) yield { source, how: 'added', commit }
    else if (takesOther(pipeline, source, records, outputs)) yield { source, how: 'downstream', commit }
    else if (target === null && (await isPending(source))) yield { source, how: 'pending', commit }
  }
  if (target === null) {
    for (const [key, { deployed }] of records) {
      const source = deployed && !after.stacks.has(key) && (await pipeline.trees.find(deployed.commit))?.stacks.get(key)
      if (source && source.definition.onRemove === 'destroy') yield { source, how: 'removed', commit: deployed.commit }
    }
    return
  }
  if (before === null) return
  for (const source of inOrder(before).toReversed())
    if (affected.get(source.definition.key) === 'removed' && source.definition.onRemove === 'destroy')
      yield { source, how: 'removed', commit: target }
}

/** Whether a stack takes something that would be another than it is deployed with. */
function takesOther(
  { state }: Pipeline,
  { definition }: StackSource,
  records: ReadonlyMap<string, StackRecord>,
  outputs: ReadonlyMap<string, { [name: string]: Output }>,
): boolean {
  return Object.values(definition.inputs).some(({ stack, output }) => {
    const planned = outputs.get(stack)?.[output]
    const deployed = records.get(stack)?.deployed
    const before = deployed && state.outputsOf(deployed)[output]
    return planned !== undefined && canonicalJson(planned) !== canonicalJson(before ?? null)
  })
}

function knownOutputs({ state }: Pipeline, records: ReadonlyMap<string, StackRecord>) {
  return (stack: string): { [name: string]: Output } | null => {
    const deployed = records.get(stack)?.deployed
    return deployed ? state.outputsOf(deployed) : null
  }
}

interface One extends Chosen {
  sides: Sides
  records: ReadonlyMap<string, StackRecord>
  outputs: ReadonlyMap<string, { [name: string]: Output }>
  mr: PolicyFacts['mr']
}

async function planOne(pipeline: Pipeline, one: One): Promise<PlannedStack> {
  const { source, how, commit, sides, records, outputs, mr } = one
  const { hash, secrets, surroundings, bench, say } = pipeline
  const { definition } = source
  const { key: stack, driver, ignore, unstable } = definition
  const planned: PlannedStack = { stack, driver, how, provisional: false, policies: [], checks: [] }
  const predicted = Object.values(definition.inputs).some((from) => outputs.has(from.stack))
  try {
    const deployed = records.get(stack)?.deployed ?? null
    const known = knownOutputs(pipeline, records)
    const outputsOf = (from: string) => outputs.get(from) ?? known(from)
    const desired = await desiredState(source, outputsOf, { hash, predicted, destroy: how === 'removed' })
    const rules = rulesFor(definition, [sides.before?.config ?? sides.after.config, sides.after.config], {
      mr,
      kind: 'preview',
    })
    const before = await deployedFiles(pipeline, deployed, stack)
    let made: { plan: Plan; checks: PlannedStack['checks'] } | undefined
    const grant = orderFor({
      kind: how === 'removed' ? 'destroy' : 'preview',
      repository: surroundings.repository,
      commit,
      source,
      desired,
      deployedDiffers: before !== undefined,
      hash,
      secrets,
    })
    const { finish } = await bench.execute({
      grant,
      definition,
      ...(before && { deployed: before }),
      onLine: (line) => say(`${stack} | ${line}`),
      async decide({ plan, checks }) {
        made = { plan: completePlan(plan, { desiredDigest: desired.digest, ignore, unstable, cause: null }), checks }
        return { action: 'stop', reason: 'planned' }
      },
    })
    if (finish?.error) return { ...planned, error: finish.error as PlannedStack['error'] & object }
    if (!made)
      throw new TrueupError('CANCELED', { doing: `planning ${stack}`, why: 'it was stopped before there was a plan' })
    return { ...planned, ...made, provisional: predicted, policies: rules.policies(made.plan) }
  } catch (thrown) {
    const error = asTrueupError(thrown, `planning ${stack}`)
    const { code, text } = error
    const upstream = text.details?.['takesFrom']
    // What is to be applied first gives it then: no fault of this change.
    if (code === 'CONFLICT' && typeof upstream === 'string' && outputs.has(upstream))
      return { ...planned, later: text.why }
    // One broken stack must not hide what the others would do.
    return { ...planned, error: error.toJSON() }
  }
}

/** The files of a stack as they are deployed; undefined where nothing is known of them any more. */
export async function deployedFiles(
  { trees }: Pick<Pipeline, 'trees'>,
  deployed: DeployedRecord | null,
  stack: string,
) {
  const source = deployed && (await trees.find(deployed.commit).catch(() => null))?.stacks.get(stack)
  return source ? { commit: deployed.commit, paths: source.paths, definition: source.definition } : undefined
}

/** What policies may know of the merge request; null where the forge is not asked. */
async function mrFacts({ forge, surroundings }: Pipeline): Promise<PolicyFacts['mr']> {
  const found = forge && surroundings.change !== null ? await forge.change(surroundings.change) : null
  if (!found) return null
  const { author, title, draft, sourceBranch, targetBranch } = found
  return { author, title, draft, sourceBranch, targetBranch }
}
