import { resourcesOfDefinition } from '../cluster/discovery.ts'
import { ourFields } from '../compare/fields.ts'
import { isSettled } from '../compare/settled.ts'
import type { KubeObject } from '../objects/object.ts'
import type { Wanted } from './wanted.ts'

export const kindName = ({ apiVersion, kind }: Pick<KubeObject, 'apiVersion' | 'kind'>): string =>
  `${apiVersion} ${kind}`

/** Kinds whose definition this plan changes: what the cluster says of their objects now is not what it says afterwards. */
export function changingKinds(wanted: readonly Wanted[], live: ReadonlyMap<string, KubeObject>): Set<string> {
  const changing = wanted.filter(({ object, key }) => {
    const now = live.get(key)
    if (object.kind !== 'CustomResourceDefinition' || now === undefined) return false
    const ours = ourFields(now)
    return ours === null || !isSettled(object, now, ours)
  })
  return new Set(changing.flatMap(({ object }) => resourcesOfDefinition(object)).map(kindName))
}
