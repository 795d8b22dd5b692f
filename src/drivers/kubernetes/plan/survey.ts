import type { IgnoreMatcher } from '../../../domain/plans/ignore.ts'
import type { AttributeChange, Cause, Finding, ResourceChange } from '../../../domain/plans/plan.ts'
import { canonicalJson } from '../../../lib/json.ts'
import type { Redaction } from '../../values/redaction.ts'
import { differences, essence, foreignAttributes } from '../compare/attributes.ts'
import { adopted, leftovers } from '../compare/adopted.ts'
import { type Fields, ourFields } from '../compare/fields.ts'
import { type Foreign, foreignFields } from '../compare/foreign.ts'
import { withoutIgnored } from '../compare/ignored.ts'
import { overlaid } from '../compare/overlay.ts'
import { changedBy, ownersOf } from '../compare/owners.ts'
import { pathText } from '../objects/paths.ts'
import { isSettled } from '../compare/settled.ts'
import { kindName } from './changing-kinds.ts'
import { checkForm, predict, type Prediction } from './dry-run.ts'
import { predictAdoption } from './predict-adoption.ts'
import { mayBeReplaced, OWNER } from '../objects/annotations.ts'
import { isClearedAway } from '../objects/cleared-away.ts'
import { asJson, type KubeObject, typeOf } from '../objects/object.ts'
import type { Session } from '../session.ts'
import { withoutPaths } from '../source/varying.ts'
import type { Step } from './steps.ts'
import type { Wanted } from './wanted.ts'

/** What the comparison of all objects shares. */
export interface Survey {
  session: Session
  redaction: Redaction
  signal: AbortSignal
  isIgnored: IgnoreMatcher | null
  /** Addresses that may be replaced. */
  mayReplace: (address: string) => boolean
  /** Addresses that may be taken over from another stack. */
  mayTakeOver: (address: string) => boolean
  conflicts: 'overwrite' | 'refuse'
  /** Ask the server about objects that do not exist yet. */
  checkCreations: boolean
  /** Namespaces that this stack brings and that are not there yet. */
  namespaces: ReadonlySet<string>
  /** Kinds whose definition changes with this plan, as `kindName` says them. */
  changingKinds: ReadonlySet<string>
  /** Needed stacks that are not deployed yet may bring what is missing. */
  awaits: readonly string[]
  /** Keyed hash of the object when it was last applied, or undefined. */
  formerHash: (key: string) => string | undefined
  hash: (object: KubeObject) => string
  seen: (object: KubeObject) => string
}

/** What one object comes to. */
export interface Surveyed {
  change?: ResourceChange
  step?: Step
  hash: string
  unchecked?: { address: string; why: string }
  /** The namespace that is missing and that a stack may bring which is not deployed yet: told once for all objects in it. */
  awaited?: string
  findings: Finding[]
  /** What makes the whole plan impossible. */
  problem?: string
}

/** Compares one wanted object with the live one, asking the server where that cannot be told without. */
export async function surveyOne(survey: Survey, wanted: Wanted, live: KubeObject | null): Promise<Surveyed> {
  const hash = hashOf(survey, wanted)
  if (live === null) return surveyMissing(survey, wanted, hash)
  if (live.metadata.deletionTimestamp !== undefined) {
    return { hash, findings: [], unchecked: { address: wanted.address, why: 'it is being deleted' } }
  }
  const rules = rulesFor(survey, wanted)
  if (rules === null && inSync.get(live) === wanted.object) return { hash, findings: [] }
  const ours = ourFields(live)
  const ignores = rules
  const object = ignores === null ? wanted.object : withoutIgnored(wanted.object, live, ours, ignores)
  const settled = ours !== null && isSettled(object, live, ours)
  const left = leftovers(object, live, ignores ?? (() => false))
  const taken =
    left &&
    (await predictAdoption(
      survey.session.client,
      { ...wanted, object },
      { live, unwanted: left.unwanted },
      survey.signal,
    ))
  const prediction = await predicted({ survey, wanted: { ...wanted, object }, known: taken ?? (settled ? live : null) })
  const base = { hash, findings: [] as Finding[] }
  if (prediction.kind === 'no-namespace') return base
  if (prediction.kind === 'immutable') return surveyImmutable(survey, wanted, live, { ...base, why: prediction.why })
  const after = prediction.kind === 'object' ? prediction.object : overlaid(object, live, ours)
  // What is taken over goes with the apply; what others have added stays until it is taken out.
  const its =
    taken && left
      ? {
          ...taken,
          metadata: { ...taken.metadata, managedFields: adopted(live, left.taken).metadata.managedFields ?? [] },
        }
      : live
  const fields = taken ? ours : (ourFields(after) ?? ours)
  const foreign = foreignFields(object, its, fields ?? {}).filter(({ steps }) => !ignores?.(pathText(steps)))
  const attributes = [
    ...(settled && !taken ? [] : differences(live, after, survey.redaction)),
    ...foreignAttributes(live, foreign, survey.redaction),
  ]
  const isSure = settled && (!left || taken !== null)
  if (isSure && rules === null && attributes.length === 0) inSync.set(live, wanted.object)
  const unchecked = prediction.kind === 'unknown' && { unchecked: { address: wanted.address, why: prediction.why } }
  if (attributes.length === 0) return { ...base, ...unchecked }
  return {
    ...base,
    ...unchecked,
    ...updateOf(survey, wanted, { live, object, attributes, foreign, hash, adopts: taken && left ? left.taken : null }),
  }
}

/** Why the cluster cannot be asked about an object yet; null where it can. */
function notYet({ changingKinds }: Survey, { pending, object }: Wanted): string | null {
  if (pending) return 'its CustomResourceDefinition comes with this stack, so the cluster cannot check it yet'
  if (!changingKinds.has(kindName(object))) return null
  return 'its CustomResourceDefinition changes with this stack, so the cluster cannot check it yet'
}

interface Predicting {
  survey: Survey
  wanted: Wanted
  /** What it will be, where that is known without asking. */
  known: KubeObject | null
}

async function predicted({ survey, wanted, known }: Predicting): Promise<Prediction> {
  if (known !== null) return { kind: 'object', object: known }
  const why = notYet(survey, wanted)
  return why === null ? predict(survey.session.client, wanted, survey.signal) : { kind: 'unknown', why }
}

/** What of an object is compared and written with nobody's but the cluster's value; null where nothing is. */
function rulesFor({ isIgnored }: Survey, { address, varying }: Wanted): ((path: string) => boolean) | null {
  if (varying.length === 0) return isIgnored === null ? null : (path) => isIgnored(address, path)
  const kept = new Set(varying)
  return (path) => kept.has(path) || (isIgnored?.(address, path) ?? false)
}

/** Keyed hash of what is the same in all renderings of an object. */
export const hashOf = (survey: Pick<Survey, 'hash'>, { object, varying }: Wanted): string =>
  survey.hash(withoutPaths(object, varying))

/**
 * Live object → the wanted one that it was found to fulfil, with nothing of others in it. Neither is ever changed, and a new
 * version is a new object; only what a watch keeps is met twice.
 */
const inSync = new WeakMap<KubeObject, KubeObject>()

interface Update {
  live: KubeObject
  object: KubeObject
  attributes: AttributeChange[]
  foreign: readonly Foreign[]
  hash: string
  /** Fields of those who declared it before. */
  adopts: Fields | null
}

function updateOf(
  survey: Survey,
  wanted: Wanted,
  update: Update,
): Pick<Surveyed, 'change' | 'step' | 'findings' | 'problem'> {
  const { live, object, attributes, foreign, hash, adopts } = update
  const owners = new Map(attributes.map(({ path }) => [path, ownersOf(live, path)]))
  for (const { steps, manager } of foreign) if (manager !== undefined) owners.set(pathText(steps), [manager])
  const managers = [...new Set([...owners.values()].flat())].toSorted()
  const findings = managers.length === 0 ? [] : [conflictFinding(wanted.address, owners)]
  findings.push(...otherStack(survey, wanted, live))
  const adoptsObject = isAdoption(survey, wanted, live)
  const change: ResourceChange = {
    address: wanted.address,
    type: typeOf(wanted.ref),
    actions: adoptsObject ? ['import', 'update'] : ['update'],
    attributes: attributes.map((attribute) => withManager(attribute, live)),
    cause: causeOf(survey, wanted, hash),
    ...(managers.length > 0 && { reason: `set by ${managers.map((name) => JSON.stringify(name)).join(', ')}` }),
  }
  const step = {
    ...stepOf(wanted, 'update', hash),
    object,
    foreign: foreign.map(({ steps }) => steps),
    seen: wanted.pending ? '' : survey.seen(live),
    ...(adopts && { adopts }),
    ...(adoptsObject && { adoptsObject }),
    ...newKind(survey, wanted),
  }
  const refused = survey.conflicts === 'refuse' && managers.length > 0
  const problem = takenPlace(survey, wanted, live) ?? (refused ? (findings[0]?.message ?? 'conflict') : undefined)
  return { change, step, findings, ...(problem !== undefined && { problem }) }
}

function withManager(attribute: AttributeChange, live: KubeObject): AttributeChange {
  const by = changedBy(live, attribute.path)
  return by ? { ...attribute, by } : attribute
}

/** It was there before this stack. One of ours that has lost its mark was not, nor one that an apply ended over. */
const isAdoption = ({ session, formerHash }: Survey, { key }: Wanted, live: KubeObject): boolean =>
  !formerHash(key) && live.metadata.annotations?.[OWNER] !== session.owner

/**
 * An object is a place, and one place has one stack: two would undo each other's work, and it would go with the first of them
 * that goes. Within an environment of a repository the same people approve both, so that `takeOver` moves an object from one
 * to another; from elsewhere it would change what was approved nowhere.
 */
function takenPlace({ session, mayTakeOver }: Survey, { address }: Wanted, live: KubeObject): string | undefined {
  const owner = live.metadata.annotations?.[OWNER]
  if (owner === undefined || owner === session.owner) return undefined
  if (environmentOf(owner) === environmentOf(session.owner)) {
    if (mayTakeOver(address)) return undefined
    return `${address} belongs to stack ${owner}, and an object has one stack: take it out of one of the two; to move it here, list it under \`takeOver:\` of this stack, too`
  }
  return `${address} belongs to stack ${owner}, which is of another environment or repository: remove it there first, or take its annotation ${OWNER} off by hand`
}

/** `repository/environment` of an owner; names of stacks may hold slashes, those of the others may not. */
const environmentOf = (owner: string): string => owner.split('/').slice(0, 2).join('/')

function conflictFinding(address: string, owners: ReadonlyMap<string, string[]>): Finding {
  const taken = [...owners].filter(([, names]) => names.length > 0)
  const shown = taken.slice(0, 5).map(([path, names]) => `${path} (${names.join(', ')})`)
  const more = taken.length > 5 ? ` and ${taken.length - 5} more` : ''
  return {
    severity: 'warning',
    code: 'field_conflict',
    message: `${address}: set by another manager and overwritten: ${shown.join(', ')}${more}`,
  }
}

function otherStack({ session }: Survey, { address }: Wanted, live: KubeObject): Finding[] {
  const owner = live.metadata.annotations?.[OWNER]
  if (owner === undefined || owner === session.owner) return []
  const message = `${address} belongs to stack ${owner}, and this one takes it over: it has to go there in the same change`
  return [{ severity: 'warning', code: 'shared_object', message }]
}

async function surveyMissing(survey: Survey, wanted: Wanted, hash: string): Promise<Surveyed> {
  // It has run, and the cluster has cleared it away: made again it would run again.
  if (isClearedAway(wanted.object) && survey.formerHash(wanted.key) === hash) return { hash, findings: [] }
  const result: Surveyed = {
    hash,
    findings: [],
    change: {
      address: wanted.address,
      type: typeOf(wanted.ref),
      actions: ['create'],
      attributes: differences(null, withoutPaths(wanted.object, wanted.varying), survey.redaction),
      cause: causeOf(survey, wanted, hash),
      // An entry without a hash says what an apply meant to make, not that it did.
      ...(survey.formerHash(wanted.key) && { reason: 'deleted outside' }),
    },
    step: { ...stepOf(wanted, 'create', hash), object: wanted.object, seen: '', ...newKind(survey, wanted) },
  }
  const later = notYet(survey, wanted)
  if (later !== null) return { ...result, unchecked: { address: wanted.address, why: later } }
  if (!survey.checkCreations) return result
  if (survey.namespaces.has(wanted.ref.namespace)) {
    await checkForm(survey.session.client, wanted, survey.signal)
    const why = 'its namespace comes with this stack: its form was checked, the rules of the namespace cannot be yet'
    return { ...result, unchecked: { address: wanted.address, why } }
  }
  const prediction = await predict(survey.session.client, wanted, survey.signal)
  if (prediction.kind === 'unknown') return { ...result, unchecked: { address: wanted.address, why: prediction.why } }
  if (prediction.kind !== 'no-namespace') return result
  if (survey.awaits.length > 0) return { ...result, awaited: wanted.ref.namespace }
  const problem = `${wanted.address}: there is no namespace "${wanted.ref.namespace}", neither in the cluster nor in the stack (add it, or set createNamespace)`
  return { ...result, problem }
}

function surveyImmutable(
  survey: Survey,
  wanted: Wanted,
  live: KubeObject,
  { why, ...base }: { why: string; hash: string; findings: Finding[] },
): Surveyed {
  if (!mayBeReplaced(wanted.object) && !survey.mayReplace(wanted.address)) {
    const problem = `${wanted.address} cannot be changed in place: ${why}. Let it be deleted and created again by the annotation trueup.dev/replace: "true" or by \`replace:\` of the stack, or take the change back`
    return { ...base, problem }
  }
  const after = overlaid(wanted.object, live, ourFields(live))
  return {
    ...base,
    change: {
      address: wanted.address,
      type: typeOf(wanted.ref),
      actions: ['replace'],
      attributes: differences(live, after, survey.redaction),
      cause: causeOf(survey, wanted, base.hash),
      reason: survey.redaction.text(why),
    },
    step: { ...stepOf(wanted, 'replace', base.hash), object: wanted.object, seen: survey.seen(live) },
  }
}

const newKind = (survey: Survey, wanted: Wanted): Pick<Step, 'newKind'> =>
  notYet(survey, wanted) === null ? {} : { newKind: true }

export function stepOf(wanted: Wanted, act: Step['act'], hash: string): Step {
  const { ref, key, address, resource, wave, rank } = wanted
  return { act, ref, key, address, resource, foreign: [], seen: '', hook: null, wave, rank, hash }
}

const causeOf = (survey: Survey, { key }: Wanted, hash: string): Cause =>
  survey.formerHash(key) === hash ? 'drift' : 'config'

/** What `seen` hashes: everything that can be wanted of the object, but not the status that controllers write all the time. */
export const seenText = (object: KubeObject): string => canonicalJson([essence(object), asJson(object).apiVersion])
