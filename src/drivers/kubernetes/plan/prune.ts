import type { Finding, ResourceChange } from '../../../domain/plans/plan.ts'
import type { DriverContext } from '../../driver.ts'
import { compileGlob } from '../../../domain/glob.ts'
import type { KubernetesConfig } from '../config.ts'
import type { Inventory, InventoryEntry } from './inventory.ts'
import { readLive, type Target } from '../cluster/live.ts'
import { isPruneConfirmed, OWNER, PRUNE_CONFIRMED, prunePolicy, waveOf } from '../objects/annotations.ts'
import { addressOf, isObject, keyOf, type KubeObject, typeOf, valueAt } from '../objects/object.ts'
import { beingDeleted } from '../objects/being-deleted.ts'
import { asTrueupError, TrueupError } from '../../../lib/errors/error.ts'
import { HOLDS_OTHERS, rankOf } from '../objects/order.ts'
import type { Session } from '../session.ts'
import type { Step } from './steps.ts'

export interface Pruning {
  changes: ResourceChange[]
  steps: Step[]
  /** Stays in the inventory: its deletion waits for somebody, is under way, or cannot be judged. */
  kept: InventoryEntry[]
  /** Keys of what is not there any more: forgotten with the next apply, which is nothing to tell. */
  gone: string[]
  findings: Finding[]
  unchecked: { address: string; why: string }[]
}

export interface PruneRequest {
  context: DriverContext<KubernetesConfig>
  session: Session
  inventory: Inventory
  /** Keys of what is wanted. */
  wanted: ReadonlySet<string>
  /** Uids of the live objects that are wanted. */
  uids: ReadonlySet<string>
  /** Why nothing is deleted now, or null. */
  held: string | null
  seen: (object: KubeObject) => string
}

/** What this stack has once made and does not want any more. */
export async function planPruning(request: PruneRequest): Promise<Pruning> {
  const { context, session, inventory, wanted } = request
  const pruning: Pruning = { changes: [], steps: [], kept: [], gone: [], findings: [], unchecked: [] }
  const all = [...inventory.objects, ...(context.destroy ? inventory.hooks : [])]
  const gone = all.filter(([key]) => !wanted.has(key)).map(([, entry]) => entry)
  if (gone.length === 0) return pruning
  if (request.held !== null || (!context.config.prune && !context.destroy)) {
    pruning.kept.push(...gone)
    return pruning
  }
  const targets: Target[] = []
  for (const { ref, hash } of gone) {
    const address = addressOf(ref)
    try {
      const resource = await session.discovery.inAnyVersion(ref.group, ref.kind)
      if (resource) targets.push({ key: keyOf(ref), address, ref, resource })
      // With its kind the object has gone, or it lives on under another group, as `extensions` has become others.
      else if (await hasServer(session, ref.group)) throw notServed(ref.group)
      else pruning.gone.push(keyOf(ref))
    } catch (thrown) {
      const { code, text } = asTrueupError(thrown, `looking up the kind of ${address}`)
      if (code === 'CANCELED') throw thrown
      pruning.unchecked.push({ address, why: text.why })
      pruning.kept.push({ ref, hash })
    }
  }
  const reading = { concurrency: context.config.concurrency, signal: context.signal }
  const live = await readLive(session.client, targets, reading)
  const hashes = new Map(gone.map(({ ref, hash }) => [keyOf(ref), hash]))
  for (const target of targets) {
    const object = live.get(target.key)
    // One object can be read in two groups (Ingress of `extensions` and `networking.k8s.io`).
    if (object && !request.uids.has(object.metadata.uid ?? '')) {
      judge(request, pruning, target, object, hashes.get(target.key) ?? '')
    } else pruning.gone.push(target.key)
  }
  return pruning
}

/** Whether another server than the API server itself is to answer for the group: one that is away for a while. */
async function hasServer({ client }: Session, group: string): Promise<boolean> {
  const call = { doing: 'looking up who serves an API', path: '/apis/apiregistration.k8s.io/v1/apiservices' }
  const list = await client.must<{ items: KubeObject[] }>(call)
  return list.items.some((one) => valueAt(one, 'spec', 'group') === group && isObject(valueAt(one, 'spec', 'service')))
}

const notServed = (group: string): TrueupError =>
  new TrueupError('UNAVAILABLE', { doing: 'looking up a kind', why: `the server of the API ${group} does not answer` })

function judge(request: PruneRequest, pruning: Pruning, target: Target, object: KubeObject, hash: string): void {
  const { context, session } = request
  const { ref, address } = target
  const owner = object.metadata.annotations?.[OWNER]
  if (object.metadata.deletionTimestamp !== undefined) {
    const why = beingDeleted(object)
    // A destruction is done when it is gone, so that is waited for; otherwise it is remembered.
    if (context.destroy) add(request, pruning, target, { act: 'delete', object, why })
    else {
      pruning.findings.push({ severity: 'info', code: 'being_deleted', message: `${address}: ${why}` })
      pruning.kept.push({ ref, hash })
    }
    return
  }
  if (owner !== session.owner) {
    forget(request, pruning, target, `it belongs to ${owner ?? 'nobody'} now`)
    return
  }
  // Going back takes no deletion of what the stack had taken over: it stays, and is nobody's again.
  if (context.rollback && request.inventory.adopted.has(target.key)) {
    add(request, pruning, target, {
      act: 'forget',
      object,
      why: 'it was there before this stack took it over',
      releases: true,
    })
    return
  }
  const policy = prunePolicy(object)
  if (policy === 'keep') {
    forget(request, pruning, target, 'it is annotated to be kept')
    return
  }
  const asks = policy === 'confirm' || (HOLDS_OTHERS.has(ref.kind) && !context.destroy)
  const confirmed = isPruneConfirmed(object) || context.config.confirmPrune.some((glob) => compileGlob(glob)(address))
  if (asks && !confirmed) {
    const because = policy === 'confirm' ? 'it is annotated so' : 'its deletion takes data or other objects with it'
    pruning.findings.push({
      severity: 'warning',
      code: 'prune_waits',
      message: `${address} is not wanted any more and waits for a confirmation, because ${because}: list it under confirmPrune, or annotate it with ${PRUNE_CONFIRMED}=yes`,
    })
    pruning.kept.push({ ref, hash })
    return
  }
  add(request, pruning, target, { act: 'delete', object })
}

function forget(request: PruneRequest, pruning: Pruning, target: Target, why: string): void {
  // Destroying is done when nothing of ours is left; what stays is told, and is no change.
  if (request.context.destroy) {
    const message = `${target.address} stays: ${why}`
    pruning.findings.push({ severity: 'info', code: 'object_stays', message })
    return
  }
  add(request, pruning, target, { act: 'forget', why })
}

function add(
  { seen }: PruneRequest,
  { changes, steps }: Pruning,
  { ref, key, address, resource }: Target,
  {
    act,
    object,
    why,
    releases = false,
  }: { act: 'delete' | 'forget'; object?: KubeObject; why?: string; releases?: boolean },
): void {
  const reason = why === undefined ? {} : { reason: why }
  changes.push({ address, type: typeOf(ref), actions: [act], attributes: [], cause: 'config', ...reason })
  const rank = rankOf(ref)
  const wave = object ? waveOf(object) : 0
  const live = object ? seen(object) : ''
  const step: Step = { act, ref, key, address, resource, foreign: [], seen: live, hook: null, wave, rank, hash: '' }
  steps.push({ ...step, ...(releases && { releases }) })
}
