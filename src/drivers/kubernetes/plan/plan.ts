import { compileGlob } from '../../../domain/glob.ts'
import { compileIgnore } from '../../../domain/plans/ignore.ts'
import type { DriverPlan, ResourceChange, Unchecked } from '../../../domain/plans/plan.ts'
import { TrueupError } from '../../../lib/errors/error.ts'
import { digestOf } from '../../../lib/digest.ts'
import { canonicalJson } from '../../../lib/json.ts'
import type { DriverContext } from '../../driver.ts'
import { redactionFor, secretInputs } from '../../values/redaction.ts'
import type { KubernetesConfig } from '../config.ts'
import { hookSteps } from './hook-plan.ts'
import { type Inventory, inventoryPlace, readInventory, sameKeys } from './inventory.ts'
import { readLive } from '../cluster/live.ts'
import { keyOf, type KubeObject } from '../objects/object.ts'
import { inParallel } from '../cluster/parallel.ts'
import { warningFindings } from '../cluster/warnings.ts'
import { planPruning } from './prune.ts'
import { openSession, type Session } from '../session.ts'
import { isSecret, secretTexts } from '../source/normal.ts'
import { hookFindings } from '../source/hook-findings.ts'
import { type Rendered, versions } from '../source/render.ts'
import { changingKinds } from './changing-kinds.ts'
import { consider, NEVER } from './considered.ts'
import { deletionHooks } from './deletion-hooks.ts'
import { isDrift, otherRenderer, rendererFindings } from './renderer.ts'
import { placesOf } from './places.ts'
import { keepSteps, type PreparedPlan, type Step } from './steps.ts'
import { seenText, type Survey, type Surveyed } from './survey.ts'
import { liveCacheOf } from './live-cache.ts'
import { renderFor } from './render-for.ts'
import { type Resolved, resolveWanted, type Wanted } from './wanted.ts'

/** Renders, reads the live objects, and has the server foretell what applying each would change. Changes nothing. */
export async function plan(context: DriverContext<KubernetesConfig>): Promise<DriverPlan> {
  const session = await openSession(context)
  try {
    return await planWith(context, session)
  } catch (thrown) {
    if (!(thrown instanceof TrueupError && thrown.code === 'NOT_FOUND')) throw thrown
    // A kind that this worker knew has gone with its definition: what the cluster has is looked up anew.
    session.discovery.forget()
    return await planWith(context, await openSession(context))
  }
}

async function planWith(context: DriverContext<KubernetesConfig>, session: Session): Promise<DriverPlan> {
  const rendered = context.destroy ? await deletionHooks(context, session) : await renderFor(context, session)
  const place = inventoryPlace(context, session)
  const inventory = await readInventory(session, place, context.signal)
  if (!context.destroy) assertSomething(context, rendered, inventory)
  const { wanted, unknown } = await resolveWanted(context, session, rendered)
  const reading = { concurrency: context.config.concurrency, signal: context.signal }
  const asked = wanted
    .filter(({ hook, pending, readAs }) => hook === null && (!pending || readAs !== null))
    .map((one) => ({ ...one, resource: one.readAs ?? one.resource }))
  const live = cachedLive(context, session, asked) ?? (await readLive(session.client, asked, reading))
  const secrets = allSecrets(context, rendered, live)
  const survey = surveyFor(context, session, { inventory, wanted, live, secrets })
  const other = otherRenderer(rendered, inventory)
  // A worker with another version is no change of the code: what it renders otherwise waits for the next merge.
  const held = other !== null && isDrift(context) ? other : null
  const considered = await inParallel(wanted, context.config.concurrency, (one) =>
    consider({ survey, live, held }, one),
  )
  const surveyed = considered.flatMap((one) => one.surveyed ?? [])
  assertPossible(context, surveyed)
  const keys = new Set(wanted.map(({ key }) => key))
  const uids = new Set([...live.values()].flatMap(({ metadata }) => metadata.uid ?? []))
  const pruning = await planPruning({ context, session, inventory, wanted: keys, uids, held, seen: survey.seen })
  const hashed = context.hash(considered.map(({ wanted: { key }, hash }) => `${key} ${hash}`).toSorted())
  const desired = held === null ? hashed : inventory.desired
  const hooks = await hookSteps({ context, survey, wanted, live, inventory, desired })
  const changes = [...surveyed.flatMap(({ change }) => change ?? []), ...pruning.changes, ...hooks.changes]
  const steps = [...surveyed.flatMap(({ step }) => step ?? []), ...pruning.steps, ...hooks.steps]
  const prepared: PreparedPlan = {
    steps,
    adopted: adoptedAfter(inventory, steps),
    entries: considered
      .filter(({ hash }) => hash !== NEVER && !context.destroy)
      .map(({ wanted: { ref, hook }, hash }) => ({ ref, hash, hook: hook !== null })),
    kept: pruning.kept,
    desired,
    renderer: held === null ? rendered.renderer : inventory.renderer,
    secrets: [...secrets],
  }
  if (steps.length === 0) addInventoryStep({ context, session, inventory, prepared, changes, gone: pruning.gone })
  await keepSteps(context, prepared)
  const places = context.kind === 'drift' || context.destroy ? [] : await placesOf(session, wanted, context.signal)
  return {
    changes,
    coverage: {
      checked: surveyed.filter(({ unchecked, awaited }) => !unchecked && awaited === undefined).length,
      unchecked: [
        ...surveyed.flatMap(({ unchecked }) => unchecked ?? []),
        ...awaitedParts(context, surveyed, unknown),
        ...pruning.unchecked,
      ],
    },
    outputs: {},
    places,
    findings: [
      ...rendered.findings,
      ...hookFindings(rendered),
      ...rendererFindings(other),
      ...surveyed.flatMap(({ findings }) => findings),
      ...pruning.findings,
      ...warningFindings(session.client, wanted),
      ...inventory.findings,
      ...hooks.findings,
    ],
    toolVersions: {
      ...(context.destroy ? {} : await versions(context)),
      kubernetes: await session.discovery.serverVersion(),
    },
  }
}

/** What was there before the stack, as it will be: what is made anew is the stack's own. */
function adoptedAfter({ adopted }: Inventory, steps: readonly Step[]): string[] {
  const made = new Set(steps.filter(({ act }) => act === 'create' || act === 'replace').map(({ key }) => key))
  const more = steps.filter(({ adoptsObject }) => adoptsObject).map(({ key }) => key)
  return [...new Set([...adopted, ...more])].filter((key) => !made.has(key))
}

/** What the stack's watch has heard, for checks of drift: a deployment looks for itself. */
function cachedLive(
  context: DriverContext<unknown>,
  session: Session,
  wanted: readonly Wanted[],
): Map<string, KubeObject> | null {
  if (!isDrift(context)) return null
  const cache = liveCacheOf(session)
  if (!cache?.covers(wanted.map(({ key }) => key))) return null
  return new Map(
    wanted.flatMap(({ key }) => {
      const object = cache.get(key)
      return object ? [[key, object] as const] : []
    }),
  )
}

/** A directory that was emptied by mistake, a chart whose values switch everything off. */
function assertSomething(context: DriverContext<unknown>, { manifests }: Rendered, { objects }: Inventory): void {
  if (manifests.length > 0) return
  throw new TrueupError('SOURCE_INVALID', {
    doing: `rendering stack "${context.stack.name}"`,
    why: `the source renders no object at all${objects.size === 0 ? '' : `; applied, that would delete all ${objects.size} that the stack has made`}`,
    next: 'Put the source back, or remove the stack from trueup.yaml: its `onRemove` says what then happens.',
  })
}

/** Impossible for one object is impossible for all: nothing is half planned. */
function assertPossible(context: DriverContext<unknown>, surveyed: readonly Surveyed[]): void {
  const problems = surveyed.flatMap(({ problem }) => problem ?? [])
  if (problems.length === 0) return
  const more = problems.length > 5 ? `; and ${problems.length - 5} more` : ''
  throw new TrueupError('SOURCE_INVALID', {
    doing: `planning stack "${context.stack.name}"`,
    why: `${problems.slice(0, 5).join('; ')}${more}`,
    next: 'Correct the named objects.',
  })
}

/** What comes with stacks that are not deployed yet, each thing once and not for each object that needs it. */
function awaitedParts(
  { awaits = [] }: DriverContext<unknown>,
  surveyed: readonly Surveyed[],
  unknown: Resolved['unknown'],
): Unchecked[] {
  const objects = (count: number): string => `${count} ${count === 1 ? 'object' : 'objects'}`
  const until = `not checked until ${awaits.join(', ')} ${awaits.length === 1 ? 'is' : 'are'} deployed`
  const namespaces = Map.groupBy(
    surveyed.flatMap(({ awaited }) => awaited ?? []),
    (namespace) => namespace,
  )
  return [
    ...[...namespaces].map(([namespace, { length }]) => ({
      address: `Namespace/${namespace}`,
      why: `it is not there: ${objects(length)} in it ${until}`,
      count: length,
    })),
    ...[...unknown].map(([kind, count]) => ({
      address: kind,
      why: `the cluster does not know this kind: ${objects(count)} ${until}`,
      count,
    })),
  ]
}

interface SurveyParts {
  inventory: Inventory
  wanted: readonly Wanted[]
  live: ReadonlyMap<string, KubeObject>
  secrets: readonly string[]
}

function surveyFor(
  context: DriverContext<KubernetesConfig>,
  session: Session,
  { inventory, wanted, live, secrets }: SurveyParts,
): Survey {
  const { config, ignore, signal, kind, awaits = [] } = context
  const anyOf = (patterns: readonly string[]): ((address: string) => boolean) => {
    const globs = patterns.map((pattern) => compileGlob(pattern))
    return (address) => globs.some((matches) => matches(address))
  }
  const namespaces = wanted.filter(({ ref, key }) => ref.kind === 'Namespace' && ref.group === '' && !live.has(key))
  return {
    session,
    redaction: redactionFor(context, secrets),
    signal,
    isIgnored: ignore.length === 0 ? null : compileIgnore(ignore),
    mayReplace: anyOf(config.replace),
    mayTakeOver: anyOf(config.takeOver),
    conflicts: config.conflicts,
    // A deployment comes after a preview that has asked, and is told by the apply itself.
    checkCreations: kind !== 'deploy' && kind !== 'heal',
    namespaces: new Set(namespaces.map(({ ref }) => ref.name)),
    awaits,
    changingKinds: changingKinds(wanted, live),
    formerHash: (key) => inventory.objects.get(key)?.hash,
    hash: hasher(context),
    seen: (object) => digestOf(seenText(object)),
  }
}

interface Hashed {
  /** Tells keys apart: hashes of one are nothing under another. */
  probe: string
  hash: string
}

const hashes = new WeakMap<KubeObject, Hashed>()

/** Keyed hashes of wanted objects, which never change. */
function hasher(context: DriverContext<unknown>): (object: KubeObject) => string {
  const probe = context.hash('')
  return (object) => {
    const known = hashes.get(object)
    if (known?.probe === probe) return known.hash
    const hash = context.hash(canonicalJson(object))
    hashes.set(object, { probe, hash })
    return hash
  }
}

function allSecrets(
  context: DriverContext<unknown>,
  { secrets }: Rendered,
  live: ReadonlyMap<string, KubeObject>,
): readonly string[] {
  const found = [...live.values()].filter(isSecret).flatMap(secretTexts)
  return [...new Set([...secrets, ...secretInputs(context), ...found])].filter((text) => text !== '')
}

interface InventoryParts {
  context: DriverContext<KubernetesConfig>
  session: Session
  inventory: Inventory
  prepared: PreparedPlan
  changes: ResourceChange[]
  /** Keys that it holds for nothing. */
  gone: readonly string[]
}

/** Everything is as it should be but the list of it: without that list nothing could be pruned later. */
function addInventoryStep({ context, session, inventory, prepared, changes, gone }: InventoryParts): void {
  const { namespace, name } = inventoryPlace(context, session)
  const objects = prepared.entries.filter(({ hook }) => !hook)
  const all = new Map([...objects, ...prepared.kept].map(({ ref, hash }) => [keyOf(ref), { hash }]))
  const held = new Map(all)
  for (const key of gone) if (inventory.objects.has(key)) held.set(key, { hash: '' })
  const isThere = inventory.exists && inventory.elsewhere === null
  if (context.destroy ? !inventory.exists : isThere && sameKeys(held, inventory.objects)) return
  const act = context.destroy ? 'delete' : inventory.exists ? 'update' : 'create'
  const address = `ConfigMap/${namespace}/${name}`
  const attributes = context.destroy ? [] : [{ path: 'objects', before: inventory.objects.size, after: all.size }]
  const reason = 'the inventory of this stack'
  changes.push({ address, type: 'ConfigMap', actions: [act], attributes, cause: 'config', reason })
  const ref = { group: '', kind: 'ConfigMap', namespace, name }
  const step: Step = {
    act: 'inventory',
    ref,
    key: '',
    address,
    resource: null,
    foreign: [],
    seen: '',
    hook: null,
    wave: 0,
    rank: 2,
    hash: '',
  }
  prepared.steps.push(step)
}
