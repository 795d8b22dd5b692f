import type { Place } from '../../../domain/plans/place.ts'
import { keyOf, type KubeObject } from '../objects/object.ts'
import type { Session } from '../session.ts'
import type { Wanted } from './wanted.ts'

/**
 * The objects that a stack manages, in the cluster as it is known to itself: contexts and addresses are names, the namespace
 * that every cluster has is one (https://opentelemetry.io/docs/specs/semconv/resource/k8s/). Within an environment the mark on
 * the object says whose it is, and `takeOver` moves it. Nothing where that namespace may not be read.
 */
export async function placesOf({ client }: Session, wanted: readonly Wanted[], signal: AbortSignal): Promise<Place[]> {
  const path = '/api/v1/namespaces/kube-system'
  const found = await client.ask<KubeObject>({ doing: 'asking which cluster this is', path, signal })
  const uid = found.status === 200 ? (found.body as KubeObject).metadata.uid : undefined
  if (uid === undefined) return []
  return wanted
    .filter(({ hook }) => hook === null)
    .map(({ ref }) => ({ address: `kubernetes:${uid} ${keyOf(ref)}`, shared: true }))
}
