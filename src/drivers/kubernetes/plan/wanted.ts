import { TrueupError } from '../../../lib/errors/error.ts'
import type { DriverContext } from '../../driver.ts'
import { type Resource, resourcesOfDefinition } from '../cluster/discovery.ts'
import type { KubernetesConfig } from '../config.ts'
import { OWNER, PRUNE, waveOf } from '../objects/annotations.ts'
import { type Hook, hookOf } from '../objects/hooks.ts'
import { addressOf, groupOf, keyOf, type KubeObject, type ObjectRef, refOf } from '../objects/object.ts'
import { rankOf } from '../objects/order.ts'
import type { Session } from '../session.ts'
import type { Rendered } from '../source/render.ts'
import type { Manifest } from '../source/manifests.ts'

/** One object that shall be there. */
export interface Wanted {
  ref: ObjectRef
  key: string
  address: string
  resource: Resource
  /** Its kind comes with this very stack: the cluster cannot be asked about it yet. */
  pending: boolean
  /** Of a kind that is there in another version only: the object as it is can be read in that one. */
  readAs: Resource | null
  object: KubeObject
  /** Paths that each rendering makes otherwise: made once, and then kept as they are. */
  varying: readonly string[]
  hook: Hook | null
  wave: number
  rank: 0 | 1 | 2 | 3
}

export interface Resolved {
  wanted: Wanted[]
  /** Kinds that the cluster does not know yet, as `Kind (group/version)`, with the number of objects that are left out. */
  unknown: ReadonlyMap<string, number>
}

/**
 * The rendered objects as the cluster knows them: with their resources, namespaces and our mark of ownership. Kinds that
 * neither the cluster nor the stack has may come with a needed stack that is not deployed yet; where there is none, they are
 * SOURCE_INVALID.
 */
export async function resolveWanted(
  context: DriverContext<KubernetesConfig>,
  session: Session,
  { manifests }: Rendered,
): Promise<Resolved> {
  const defined = new Map(
    manifests
      .flatMap(({ object }) => resourcesOfDefinition(object))
      .map((one) => [`${one.apiVersion} ${one.kind}`, one]),
  )
  const all: Pick<Manifest, 'object' | 'varying'>[] = [
    ...(await ownNamespace(context, session, manifests)),
    ...manifests,
  ]
  const wanted: Wanted[] = []
  const unknown = new Map<string, number>()
  for (const { object, varying = [] } of all) {
    const hook = hookOf(object)
    if (hook?.runs.length === 0) continue
    const { apiVersion, kind } = object
    const found = await session.discovery.find(apiVersion, kind)
    const resource = found ?? defined.get(`${apiVersion} ${kind}`)
    const pending = found === null
    const readAs = pending && resource ? await session.discovery.inAnyVersion(groupOf(apiVersion), kind) : null
    if (resource) wanted.push(asWanted(session, object, { resource, pending, readAs, hook, varying }))
    else {
      const name = `${kind} (${apiVersion})`
      unknown.set(name, (unknown.get(name) ?? 0) + 1)
    }
  }
  if (unknown.size === 0 || context.awaits?.length) return { wanted: assertUnique(context, wanted), unknown }
  const served = await session.discovery.apiVersions()
  const told = [...unknown.keys()].toSorted().map((name) => `${name}${servedElsewhere(name, served)}`)
  throw new TrueupError('SOURCE_INVALID', {
    doing: `planning stack "${context.stack.name}"`,
    why: `the cluster does not know ${told.join(', ')}`,
    next: 'Install what defines these kinds first, add their CustomResourceDefinition to the stack, or correct apiVersion and kind. A chart that asks for APIs is told those of its Helm as well: set what it offers to choose others.',
  })
}

/** Groups of Kubernetes itself, between which kinds have moved (Ingress from `extensions` to `networking.k8s.io`). */
const OWN_GROUPS = /^(apps|batch|autoscaling|policy|extensions|[\w.]+\.k8s\.io)$/

/** Where a kind lives on that the cluster has no more in this version, or not yet. */
function servedElsewhere(name: string, served: readonly string[]): string {
  const [, kind = '', apiVersion = ''] = /^(\S+) \((.+)\)$/.exec(name) ?? []
  const group = groupOf(apiVersion)
  const found = served.flatMap((entry) => {
    const version = entry.endsWith(`/${kind}`) ? entry.slice(0, -kind.length - 1) : ''
    const its = groupOf(version)
    const isSame = its === group || (OWN_GROUPS.test(group) && OWN_GROUPS.test(its))
    return version !== '' && isSame ? [version] : []
  })
  return found.length === 0 ? '' : ` but in ${found.join(', ')}`
}

interface Placing {
  resource: Resource
  pending: boolean
  readAs: Resource | null
  hook: Hook | null
  varying: readonly string[]
}

function asWanted(session: Session, object: KubeObject, { resource, pending, readAs, hook, varying }: Placing): Wanted {
  const whole = placed(session, object, resource.namespaced)
  const ref = refOf(whole)
  return {
    ref,
    key: keyOf(ref),
    address: addressOf(ref),
    resource,
    pending,
    readAs,
    object: whole,
    varying,
    hook,
    wave: waveOf(whole),
    rank: rankOf(whole),
  }
}

interface Placed {
  where: string
  whole: KubeObject
}

/** The same object for the same stack is the same again. */
const known = new WeakMap<KubeObject, Placed>()

function placed(session: Session, object: KubeObject, namespaced: boolean): KubeObject {
  const where = `${session.owner} ${namespaced ? session.namespace : ''}`
  const before = known.get(object)
  if (before?.where === where) return before.whole
  const { namespace, ...metadata } = object.metadata
  const place = namespaced ? { namespace: namespace ?? session.namespace } : {}
  const annotations = { ...metadata.annotations, [OWNER]: session.owner }
  const whole: KubeObject = { ...object, metadata: { ...metadata, ...place, annotations } }
  known.set(object, { where, whole })
  return whole
}

/** Two manifests may differ by nothing but a namespace that one of them leaves out. */
function assertUnique(context: DriverContext<unknown>, wanted: Wanted[]): Wanted[] {
  const seen = new Set<string>()
  for (const { key, address } of wanted) {
    if (seen.has(key)) {
      const doing = `planning stack "${context.stack.name}"`
      throw new TrueupError('SOURCE_INVALID', { doing, why: `${address} is rendered twice` })
    }
    seen.add(key)
  }
  return wanted
}

async function ownNamespace(
  { config, destroy, signal }: DriverContext<KubernetesConfig>,
  session: Session,
  manifests: readonly Manifest[],
): Promise<Pick<Manifest, 'object'>[]> {
  const { namespace } = session
  const isThere = manifests.some(
    ({ object }) =>
      object.kind === 'Namespace' && groupOf(object.apiVersion) === '' && object.metadata.name === namespace,
  )
  if (!config.createNamespace || isThere || namespace === 'default' || destroy) return []
  if (await isOthers(session, namespace, signal)) return []
  const metadata = { name: namespace, annotations: { [PRUNE]: 'keep' } }
  return [{ object: { apiVersion: 'v1', kind: 'Namespace', metadata } }]
}

/** Namespaces that are known to be a stack's own: what becomes of them, its watch and its plans see. */
const own = new Set<string>()

/** Several stacks may live in one namespace: it is made where it is missing, and taken from nobody. */
async function isOthers({ client, owner }: Session, namespace: string, signal: AbortSignal): Promise<boolean> {
  const name = `${client.access.identity} ${owner} ${namespace}`
  if (own.has(name)) return false
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}`
  const { status, body } = await client.ask<KubeObject>({ doing: `reading Namespace/${namespace}`, path, signal })
  if (status !== 200) return false
  const isOurs = (body as KubeObject).metadata.annotations?.[OWNER] === owner
  if (isOurs) own.add(name)
  return !isOurs
}
