import type { Json, JsonObject } from '../../../lib/json.ts'
import { asJson, isObject, type KubeObject } from '../objects/object.ts'
import { below, type Fields, indexOf, namesIn } from './fields.ts'
import { pathText, type Step } from '../objects/paths.ts'

/**
 * The wanted object without what the stack's ignore rules cover, so that it is not written either. While such a field is
 * still ours it is sent with the value that it has: left out, the server would take it for given up and remove it.
 */
export function withoutIgnored(
  desired: KubeObject,
  live: KubeObject,
  ours: Fields | null,
  isIgnored: (path: string) => boolean,
): KubeObject {
  const { apiVersion, kind, metadata, ...rest } = asJson(desired)
  const { name, namespace, ...meta } = metadata as JsonObject
  const kept = prune(
    { desired: { ...rest, metadata: meta }, live: asJson(live), ours, steps: [] },
    isIgnored,
  ) as JsonObject
  const identity = { name: name ?? '', ...(namespace !== undefined && { namespace }) }
  return {
    apiVersion,
    kind,
    ...kept,
    metadata: { ...(kept.metadata as JsonObject | undefined), ...identity },
  } as unknown as KubeObject
}

interface Place {
  desired: Json
  live: Json | undefined
  ours: Fields | null
  steps: Step[]
}

/** Undefined: nothing is left of it. */
function prune({ desired, live, ours, steps }: Place, isIgnored: (path: string) => boolean): Json | undefined {
  if (steps.length > 0 && isIgnored(pathText(steps))) return ours === null ? undefined : live
  if (Array.isArray(desired)) {
    const items = desired.map((item, index) => {
      const name = namesIn(ours ?? {}).find((one) => indexOf(desired, one) === index)
      const there = Array.isArray(live)
        ? live[name === undefined ? twinOf(item, index, live) : indexOf(live, name)]
        : undefined
      // A new element is written as a whole: without what is ignored it might not even be valid.
      if (isObject(item) && there === undefined && ours !== null && Array.isArray(live)) return item
      const inner = name === undefined ? null : below(ours, name)
      // Of a list without keys the whole is ours, and so is each part.
      const owned = inner ?? (ours !== null && namesIn(ours).length === 0 ? {} : null)
      return prune({ desired: item, live: there, ours: owned, steps: [...steps, index] }, isIgnored)
    })
    return items.filter((item) => item !== undefined)
  }
  if (!isObject(desired)) return desired
  const kept: JsonObject = {}
  for (const [member, value] of Object.entries(desired)) {
    const there = isObject(live) ? live[member] : undefined
    const inner =
      below(ours, `f:${member}`) ?? (ours !== null && steps.length > 0 && namesIn(ours).length === 0 ? {} : null)
    const left = prune({ desired: value, live: there, ours: inner, steps: [...steps, member] }, isIgnored)
    if (left !== undefined) kept[member] = left
  }
  return Object.keys(kept).length === 0 && Object.keys(desired).length > 0 ? undefined : kept
}

function twinOf(item: Json, index: number, live: readonly Json[]): number {
  if (!isObject(item) || typeof item.name !== 'string') return index
  return live.findIndex((other) => isObject(other) && other.name === item.name)
}
