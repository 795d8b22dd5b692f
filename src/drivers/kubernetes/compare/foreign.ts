import type { Json } from '../../../lib/json.ts'
import { asJson, isObject, type KubeObject } from '../objects/object.ts'
import { below, type Fields, indexOf, namesIn, otherManagers } from './fields.ts'
import type { Step } from '../objects/paths.ts'

/** Something that another manager has put into a map or list of ours. */
export interface Foreign {
  steps: Step[]
  value: Json
  manager?: string
}

/** Maps that mean nothing but what their keys say: who declares one declares all of it. */
const WHOLE_MAPS: { readonly [kind: string]: readonly string[] } = {
  ConfigMap: ['data', 'binaryData'],
  Secret: ['data'],
}

/** Lists that controllers fill beside us: tokens and pull secrets of accounts. */
const SHARED_LISTS: { readonly [kind: string]: readonly string[] } = {
  ServiceAccount: ['secrets', 'imagePullSecrets'],
}

/**
 * What others have added inside of what we declare: keys of a ConfigMap's or Secret's data, and elements of lists that we
 * fill (an environment variable, a port, a container). Server-side apply would leave all of that for ever. Fields that we
 * do not declare (replicas that an autoscaler sets), metadata and status are theirs to set, and so is what nobody owns:
 * the server's own defaults.
 *
 * `live` is the object as it is, `ours` our fields in it.
 */
export function foreignFields(desired: KubeObject, live: KubeObject, ours: Fields): Foreign[] {
  const found: Foreign[] = []
  const others = otherManagers(live)
  for (const [member, value] of Object.entries(asJson(desired))) {
    if (['apiVersion', 'kind', 'metadata', 'status'].includes(member)) continue
    if (SHARED_LISTS[desired.kind]?.includes(member)) continue
    const there = asJson(live)[member]
    if (WHOLE_MAPS[desired.kind]?.includes(member)) keysIn(member, value, there, others, found)
    else
      walk(
        {
          desired: value,
          live: there,
          ours: below(ours, `f:${member}`),
          others: narrowed(others, `f:${member}`),
          steps: [member],
        },
        found,
      )
  }
  return found
}

type Others = ReturnType<typeof otherManagers>

function keysIn(member: string, desired: Json, live: Json | undefined, others: Others, found: Foreign[]): void {
  if (!isObject(desired) || !isObject(live)) return
  for (const [key, value] of Object.entries(live)) {
    if (Object.hasOwn(desired, key)) continue
    const owner = others.find(({ fields }) => below(below(fields, `f:${member}`), `f:${key}`) !== null)
    found.push({ steps: [member, key], value: value as Json, ...(owner && { manager: owner.manager }) })
  }
}

interface Place {
  desired: Json
  live: Json | undefined
  ours: Fields | null
  others: Others
  steps: Step[]
}

function walk({ desired, live, ours, others, steps }: Place, found: Foreign[]): void {
  if (ours === null || others.length === 0) return
  if (Array.isArray(desired)) return walkList({ desired, live, ours, others, steps }, desired, ours, found)
  if (!isObject(desired) || !isObject(live)) return
  for (const [member, value] of Object.entries(desired)) {
    // Labels and annotations of templates are metadata too: `kubectl rollout restart` writes there.
    if (member === 'metadata') continue
    const name = `f:${member}`
    walk(
      {
        desired: value,
        live: live[member],
        ours: below(ours, name),
        others: narrowed(others, name),
        steps: [...steps, member],
      },
      found,
    )
  }
}

function walkList(place: Place, desired: readonly Json[], ours: Fields, found: Foreign[]): void {
  const { live, others, steps } = place
  const names = namesIn(ours)
  if (!Array.isArray(live) || names.length === 0) return
  const known = new Map(names.map((name) => [indexOf(live, name), name]))
  live.forEach((item, index) => {
    const name = known.get(index)
    if (name !== undefined) {
      const wanted = desired[indexOf(desired, name)]
      if (wanted !== undefined)
        walk(
          {
            desired: wanted,
            live: item,
            ours: below(ours, name),
            others: narrowed(others, name),
            steps: [...steps, index],
          },
          found,
        )
      return
    }
    const owner = others.find(({ fields }) => namesIn(fields).some((other) => indexOf(live, other) === index))
    if (owner) found.push({ steps: [...steps, index], value: item, manager: owner.manager })
  })
}

const narrowed = (others: Others, name: string): Others =>
  others.flatMap(({ manager, fields }) => {
    const inner = below(fields, name)
    return inner === null ? [] : [{ manager, fields: inner }]
  })
