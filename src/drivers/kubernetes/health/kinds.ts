import { isObject, type KubeObject, typeOf, groupOf, valueAt } from '../objects/object.ts'

export interface HealthState {
  state: 'healthy' | 'progressing' | 'failed'
  why: string
}

const healthy: HealthState = { state: 'healthy', why: '' }
const progressing = (why: string): HealthState => ({ state: 'progressing', why })
const failed = (why: string): HealthState => ({ state: 'failed', why })

type Judge = (object: KubeObject) => HealthState

/**
 * Whether an object works, from its status alone. The rules are those of kstatus
 * (https://github.com/kubernetes-sigs/cli-utils/tree/master/pkg/kstatus) and of Argo CD; an Ingress waits for its address.
 */
export function healthOf(object: KubeObject): HealthState {
  if (object.metadata.deletionTimestamp !== undefined) return progressing('it is being deleted')
  const observed = valueAt(object, 'status', 'observedGeneration')
  if (typeof observed === 'number' && observed < (object.metadata.generation ?? 0)) {
    return progressing('its controller has not seen the change yet')
  }
  const type = typeOf({ group: groupOf(object.apiVersion), kind: object.kind })
  const judge = Object.hasOwn(KINDS, type) ? KINDS[type] : undefined
  return (judge ?? byConditions)(object)
}

/** Refusals of pods that no other pod's end changes: rules on what a pod may be, and must say. */
const AGAINST_A_RULE =
  /violates PodSecurity|failed quota: |(minimum|maximum) \S+ usage per |unable to validate against any security context constraint/

/**
 * What is under way, with what its controller says of it. Where a rule forbids its pods, or a quota has no place for any of
 * them, waiting is useless.
 */
export function complained({ state, why }: HealthState, said: string): HealthState {
  const isHopeless = AGAINST_A_RULE.test(said) || (/exceeded quota/.test(said) && /\b0 of |has not begun/.test(why))
  return { state: isHopeless ? 'failed' : state, why: `${why}; ${said}` }
}

const KINDS: { readonly [type: string]: Judge } = {
  Deployment: deployment,
  StatefulSet: statefulSet,
  DaemonSet: daemonSet,
  ReplicaSet: (object) => counted(object, number(object, 'spec', 'replicas') ?? 1, 'availableReplicas', 'available'),
  Job: job,
  Pod: pod,
  PersistentVolumeClaim: claim,
  Service: service,
  Ingress: (object) => (hasAddress(object) ? healthy : progressing('it has no address yet')),
  CustomResourceDefinition: (object) =>
    isFalse(object, 'NamesAccepted') ? failed(messageOf(object, 'NamesAccepted')) : needs(object, 'Established'),
  APIService: (object) => needs(object, 'Available'),
  Namespace: (object) => (valueAt(object, 'status', 'phase') === 'Active' ? healthy : progressing('it is not active')),
}

function deployment(object: KubeObject): HealthState {
  const progress = condition(object, 'Progressing')
  if (progress?.reason === 'ProgressDeadlineExceeded')
    return failed(progress.message || 'its progress deadline is over')
  if (number(object, 'status', 'observedGeneration') === undefined) return progressing('its controller has not begun')
  const wanted = number(object, 'spec', 'replicas') ?? 1
  const updated = number(object, 'status', 'updatedReplicas') ?? 0
  if (updated < wanted) {
    const slow = progressing(`${updated} of ${wanted} replicas are updated`)
    if (!isTrue(object, 'ReplicaFailure')) return slow
    const said = messageOf(object, 'ReplicaFailure')
    // Old replicas that go may make the place that is missing.
    return (number(object, 'status', 'replicas') ?? 0) > 0 && !AGAINST_A_RULE.test(said)
      ? { ...slow, why: `${slow.why}; ${said}` }
      : complained(slow, said)
  }
  const old = (number(object, 'status', 'replicas') ?? 0) - updated
  if (old > 0) return progressing(`${old} old replicas are still there`)
  return counted(object, wanted, 'availableReplicas', 'available')
}

function statefulSet(object: KubeObject): HealthState {
  if (number(object, 'status', 'observedGeneration') === undefined) return progressing('its controller has not begun')
  const wanted = number(object, 'spec', 'replicas') ?? 1
  if (valueAt(object, 'spec', 'updateStrategy', 'type') === 'OnDelete')
    return counted(object, wanted, 'readyReplicas', 'ready')
  const kept = number(object, 'spec', 'updateStrategy', 'rollingUpdate', 'partition') ?? 0
  const updated = number(object, 'status', 'updatedReplicas') ?? 0
  if (updated < wanted - kept) return progressing(`${updated} of ${wanted - kept} replicas are updated`)
  return counted(object, wanted, 'readyReplicas', 'ready')
}

function daemonSet(object: KubeObject): HealthState {
  if (number(object, 'status', 'observedGeneration') === undefined) return progressing('its controller has not begun')
  const wanted = number(object, 'status', 'desiredNumberScheduled') ?? 0
  const updated = number(object, 'status', 'updatedNumberScheduled') ?? 0
  const isRolling = valueAt(object, 'spec', 'updateStrategy', 'type') !== 'OnDelete'
  if (isRolling && updated < wanted) return progressing(`${updated} of ${wanted} pods are updated`)
  return counted(object, wanted, 'numberAvailable', 'available')
}

function counted(object: KubeObject, wanted: number, member: string, word: string): HealthState {
  const there = number(object, 'status', member) ?? 0
  return there >= wanted ? healthy : progressing(`${there} of ${wanted} are ${word}`)
}

function job(object: KubeObject): HealthState {
  if (isTrue(object, 'Failed')) return failed(messageOf(object, 'Failed'))
  if (isTrue(object, 'Complete')) return healthy
  if (valueAt(object, 'spec', 'suspend') === true) return healthy
  const runs = (number(object, 'status', 'active') ?? 0) > 0
  return progressing(runs ? 'it is not complete' : 'it is not complete, and 0 of its pods run')
}

function pod(object: KubeObject): HealthState {
  const phase = valueAt(object, 'status', 'phase')
  if (phase === 'Succeeded') return healthy
  const message = valueAt(object, 'status', 'message')
  if (phase === 'Failed') return failed(typeof message === 'string' ? message : 'it has failed')
  if (phase === 'Running' && isTrue(object, 'Ready')) return healthy
  const statuses = valueAt(object, 'status', 'containerStatuses')
  const waiting = (Array.isArray(statuses) ? statuses : []).map((one) => valueAt(one, 'state', 'waiting', 'reason'))
  const reason = waiting.find(
    (one) => typeof one === 'string' && one !== 'ContainerCreating' && one !== 'PodInitializing',
  )
  return progressing(
    typeof reason === 'string'
      ? `a container waits: ${reason}`
      : `it is ${typeof phase === 'string' ? phase : 'not there yet'}`,
  )
}

function claim(object: KubeObject): HealthState {
  const phase = valueAt(object, 'status', 'phase')
  if (phase === 'Bound') return healthy
  return phase === 'Lost' ? failed('its volume is lost') : progressing('it is not bound')
}

function service(object: KubeObject): HealthState {
  if (valueAt(object, 'spec', 'type') !== 'LoadBalancer' || hasAddress(object)) return healthy
  return progressing('its load balancer has no address yet')
}

function hasAddress(object: KubeObject): boolean {
  const ingress = valueAt(object, 'status', 'loadBalancer', 'ingress')
  return Array.isArray(ingress) && ingress.length > 0
}

/** Kinds that nobody has told us about: the conditions that most of them have; without any, it is there and that is all. */
function byConditions(object: KubeObject): HealthState {
  if (isTrue(object, 'Stalled')) return failed(messageOf(object, 'Stalled'))
  if (isTrue(object, 'Reconciling')) return progressing(messageOf(object, 'Reconciling'))
  for (const type of ['Ready', 'Available', 'Healthy']) if (condition(object, type)) return needs(object, type)
  return healthy
}

interface Condition {
  type?: string
  status?: string
  reason?: string
  message?: string
}

function condition(object: KubeObject, type: string): Condition | undefined {
  const all = valueAt(object, 'status', 'conditions')
  if (!Array.isArray(all)) return undefined
  return (all as unknown[]).find((one): one is Condition => isObject(one) && one.type === type)
}

const isTrue = (object: KubeObject, type: string): boolean => condition(object, type)?.status === 'True'
const isFalse = (object: KubeObject, type: string): boolean => condition(object, type)?.status === 'False'

const needs = (object: KubeObject, type: string): HealthState =>
  isTrue(object, type) ? healthy : progressing(messageOf(object, type) || `it is not ${type}`)

function messageOf(object: KubeObject, type: string): string {
  const { reason, message } = condition(object, type) ?? {}
  return [reason, message].filter(Boolean).join(': ') || `${type} is not as it should be`
}

function number(object: KubeObject, ...path: string[]): number | undefined {
  const value = valueAt(object, ...path)
  return typeof value === 'number' ? value : undefined
}
