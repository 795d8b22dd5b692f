import type { Json, JsonObject } from '../../../lib/json.ts'
import { asJson, equalJson, isObject, type KubeObject, type ManagedFieldsEntry } from '../objects/object.ts'
import { below, FIELD_MANAGER, type Fields, indexOf, namesIn, union } from './fields.ts'
import { pathText, type Step } from '../objects/paths.ts'

/**
 * Who declares whole objects: what they set and nobody wants any more would stay for ever, since it is not ours to give up.
 * Flux and Argo CD take these over, too (https://fluxcd.io/flux/components/kustomize/kustomizations/#controlling-the-apply-behavior-of-resources).
 * Those who change single fields (`kubectl label`, `kubectl scale`, controllers) are not among them.
 */
const DECLARING: { readonly [operation: string]: ReadonlySet<string> } = {
  Update: new Set(['kubectl-client-side-apply', 'kubectl-create', 'kubectl-replace', 'before-first-apply', 'helm']),
  Apply: new Set(['kubectl', 'helm']),
}

const isDeclaring = ({ operation = '', manager = '', subresource }: ManagedFieldsEntry): boolean =>
  !subresource && (DECLARING[operation]?.has(manager) ?? false)

const isOurs = ({ manager, operation }: ManagedFieldsEntry): boolean =>
  manager === FIELD_MANAGER && operation === 'Apply'

/** What they keep for themselves. */
const BOOKKEEPING = /^(kubectl\.kubernetes\.io\/last-applied-configuration$|meta\.helm\.sh\/)/

/** What those who declared an object before have left in it. */
export interface Leftovers {
  /**
   * What only they have set and nobody wants any more: it goes. Defaults that the server had filled in for them are among
   * these: it fills them in again.
   */
  unwanted: Fields
  /** All of theirs that becomes ours, so that we can give it up: the server removes nothing inside of what it thinks theirs. */
  taken: Fields
}

/** Null where nothing has to go. */
export function leftovers(
  desired: KubeObject,
  live: KubeObject,
  isIgnored: (path: string) => boolean,
): Leftovers | null {
  const entries = live.metadata.managedFields ?? []
  const theirs = entries.filter(isDeclaring)
  if (theirs.length === 0) return null
  const isKept = (steps: readonly Step[]): boolean => {
    const [first, second, third] = steps
    if (first === 'metadata' && second !== undefined) {
      if (!(second === 'labels' || second === 'annotations') || BOOKKEEPING.test(String(third ?? ''))) return true
    }
    // An autoscaler's hand on the replicas is seen in the managed fields only since 1.22.
    return first === 'status' || steps.join('.') === 'spec.replicas' || isIgnored(pathText(steps))
  }
  const fields = theirs.reduce<Fields>((all, { fieldsV1 }) => union(all, fieldsV1 ?? {}), {})
  const others = entries
    .filter((entry) => !isDeclaring(entry) && !isOurs(entry))
    .map(({ fieldsV1 = {} }): Fields => fieldsV1)
  const { left } = find({ desired: asJson(desired), live: asJson(live), fields, others, steps: [] }, isKept)
  if (left === null || namesIn(left).length === 0) return null
  return { unwanted: left, taken: takenOf({ fields, live: asJson(live), steps: [] }, isKept) }
}

/** Theirs but for what is kept, and for what holds something that is kept. */
function takenOf(
  { fields, live, steps }: Pick<Place, 'fields' | 'live' | 'steps'>,
  isKept: (steps: readonly Step[]) => boolean,
): Fields {
  const taken: Fields = {}
  let keeps = false
  for (const name of namesIn(fields)) {
    const [step, there] = memberOf(live ?? null, name)
    const next = [...steps, step]
    const inner = below(fields, name) ?? {}
    const its = isKept(next) ? {} : takenOf({ fields: inner, live: there, steps: next }, isKept)
    const isLeaf = Object.keys(inner).length === 0
    if (Object.keys(its).length > 0 || (isLeaf && !isKept(next))) taken[name] = its
    keeps ||= !equalJson(its, inner) || isKept(next)
  }
  if (!keeps && Object.hasOwn(fields, '.')) taken['.'] = {}
  return taken
}

interface Place {
  desired: Json | undefined
  live: Json | undefined
  fields: Fields
  others: readonly Fields[]
  steps: readonly Step[]
}

interface Found {
  left: Fields | null
  /** Nothing of theirs stays at this place. */
  isWhole: boolean
}

function find(place: Place, isKept: (steps: readonly Step[]) => boolean): Found {
  const { desired, live, fields, others, steps } = place
  if (live === undefined || (steps.length > 0 && isKept(steps))) return { left: null, isWhole: false }
  const isFree = desired === undefined && others.length === 0
  const names = namesIn(fields)
  if (names.length === 0) return { left: isFree ? {} : null, isWhole: isFree }
  const left: Fields = {}
  let isWhole = isFree
  for (const name of names) {
    const [step, there] = memberOf(live, name)
    const inner = below(fields, name) ?? {}
    const narrowed = others.flatMap((one): Fields[] => {
      const its = below(one, name)
      return its === null ? [] : [its]
    })
    const next: Place = {
      desired: wantedOf(desired, name),
      live: there,
      fields: inner,
      others: narrowed,
      steps: [...steps, step],
    }
    const found = find(next, isKept)
    if (found.left !== null) left[name] = found.left
    isWhole &&= found.isWhole
  }
  if (isWhole && Object.hasOwn(fields, '.')) left['.'] = {}
  return { left: Object.keys(left).length > 0 ? left : null, isWhole }
}

function memberOf(value: Json, name: string): [Step, Json | undefined] {
  if (Array.isArray(value)) {
    const at = indexOf(value, name)
    return [at, value[at]]
  }
  const member = name.slice(2)
  return [member, isObject(value) && Object.hasOwn(value, member) ? value[member] : undefined]
}

const wantedOf = (desired: Json | undefined, name: string): Json | undefined =>
  desired === undefined ? undefined : memberOf(desired, name)[1]

/** The object without these fields. */
export const without = (live: KubeObject, left: Fields): KubeObject =>
  strip(asJson(live), left) as unknown as KubeObject

/** Undefined: nothing is left of it. */
function strip(live: Json, left: Fields): Json | undefined {
  const names = namesIn(left)
  if (names.length === 0) return undefined
  if (Array.isArray(live)) {
    const named = new Map(names.map((name) => [indexOf(live, name), below(left, name) ?? {}]))
    const rest = live.flatMap((item, at) => {
      const inner = named.get(at)
      if (inner === undefined) return [item]
      // An element that goes as a whole takes the defaults in it along.
      const value = Object.hasOwn(inner, '.') ? undefined : strip(item, inner)
      return value === undefined ? [] : [value]
    })
    return rest.length === 0 ? undefined : rest
  }
  if (!isObject(live)) return live
  const rest: JsonObject = { ...live }
  for (const name of names) {
    const member = name.slice(2)
    if (!Object.hasOwn(rest, member)) continue
    const value = strip(rest[member] as Json, below(left, name) ?? {})
    if (value === undefined) delete rest[member]
    else rest[member] = value
  }
  return Object.keys(rest).length === 0 ? undefined : rest
}

/** The same object with what is taken as ours and no more as theirs. */
export function adopted(live: KubeObject, taken: Fields): KubeObject {
  const entries = live.metadata.managedFields ?? []
  const ours = entries.find(isOurs)
  const { apiVersion = live.apiVersion, time } = ours ?? {}
  const mine: ManagedFieldsEntry & { fieldsType: string } = {
    manager: FIELD_MANAGER,
    operation: 'Apply',
    apiVersion,
    fieldsType: 'FieldsV1',
    fieldsV1: union(ours?.fieldsV1 ?? {}, taken),
    ...(time !== undefined && { time }),
  }
  const rest = entries.flatMap((entry) => {
    if (isOurs(entry)) return []
    if (!isDeclaring(entry)) return [entry]
    const fieldsV1 = difference(entry.fieldsV1 ?? {}, taken)
    return namesIn(fieldsV1).length === 0 ? [] : [{ ...entry, fieldsV1 }]
  })
  return { ...live, metadata: { ...live.metadata, managedFields: [...rest, mine] } }
}

function difference(fields: Fields, left: Fields): Fields {
  const rest: Fields = { ...fields }
  for (const name of Object.keys(left)) {
    const [mine, gone] = [below(fields, name), below(left, name) ?? {}]
    if (mine === null) continue
    const inner = namesIn(gone).length === 0 ? {} : difference(mine, gone)
    if (Object.keys(inner).length === 0) delete rest[name]
    else rest[name] = inner
  }
  return rest
}
