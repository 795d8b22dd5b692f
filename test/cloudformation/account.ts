import type { JsonObject } from '../../src/lib/json.ts'
import { randomUUID } from 'node:crypto'
import { ServiceError } from './answer.ts'
import type {
  ChangeSet,
  DriftDetection,
  OrderedFailure,
  RealObject,
  ResourceDrift,
  Stack,
  StackEvent,
  StackResource,
} from './model.ts'

/** How this double differs from one account to another; what is off is answered as an older endpoint would. */
export interface AccountOptions {
  region?: string
  /** Milliseconds that each step of an operation takes. */
  stepMs?: number
  /** `DeploymentMode` is known. Otherwise: ValidationError, as before November 2025. */
  revertDrift?: boolean
  /** Every n-th request is throttled; 0 for never. */
  throttleEvery?: number
  /** Items in one page of a list. */
  pageSize?: number
}

export interface Nested {
  properties: JsonObject
  token?: string | undefined
}

/** Operations on nested stacks, which are operations on stacks again (`nested.ts`). */
export interface NestedOperations {
  create(account: Account, parent: Stack, nested: Nested & { logicalId: string }): Promise<Stack | string>
  update(account: Account, nested: Nested & { resource: StackResource }): Promise<string | undefined>
  delete(account: Account, id: string): Promise<void>
}

/** Everything that exists in the pretended account. */
export interface Account {
  region: string
  id: string
  stepMs: number
  revertDrift: boolean
  throttleEvery: number
  pageSize: number
  /** Real objects by physical id. */
  objects: Map<string, RealObject>
  stacks: Stack[]
  changeSets: ChangeSet[]
  detections: DriftDetection[]
  drifts: Map<string, ResourceDrift[]>
  failures: OrderedFailure[]
  /** Milliseconds that one step of a resource takes, where it is not `stepMs`. */
  slow: Map<string, number>
  /** Objects in buckets: `bucket/key` → content. */
  files: Map<string, Buffer>
  buckets: Set<string>
  /** Types whose drift detection fails half-way (missing permissions). */
  undetectable: Set<string>
  requests: { action: string }[]
  /** Actions whose next answer gets lost on the way, after it was done. */
  lost: Set<string>
  nested: NestedOperations
  /** What the service finds in every change set before it is executed (fields of an OperationEvent). */
  validations: { [field: string]: string }[]
  /** Names of stacks by the export that they import. */
  imports: Map<string, string[]>
}

export function createAccount(nested: NestedOperations, options: AccountOptions = {}): Account {
  return {
    region: options.region ?? 'eu-central-1',
    id: '123456789012',
    stepMs: options.stepMs ?? 2,
    revertDrift: options.revertDrift ?? true,
    throttleEvery: options.throttleEvery ?? 0,
    pageSize: options.pageSize ?? 50,
    objects: new Map(),
    stacks: [],
    changeSets: [],
    detections: [],
    drifts: new Map(),
    failures: [],
    slow: new Map(),
    files: new Map(),
    buckets: new Set(),
    undetectable: new Set(),
    requests: [],
    lost: new Set(),
    nested,
    validations: [],
    imports: new Map(),
  }
}

export const arn = (account: Account, kind: string, name: string): string =>
  `arn:aws:cloudformation:${account.region}:${account.id}:${kind}/${name}/${randomUUID()}`

/** A stack by name (not deleted) or id. ValidationError where there is none, in the service's words. */
export function stackOf(account: Account, nameOrId: string | undefined): Stack {
  const stack = findStack(account, nameOrId)
  if (stack === undefined) throw new ServiceError('ValidationError', `Stack with id ${nameOrId} does not exist`)
  return stack
}

export function findStack(account: Account, nameOrId: string | undefined): Stack | undefined {
  if (nameOrId?.startsWith('arn:')) return account.stacks.find(({ id }) => id === nameOrId)
  return account.stacks.find(({ name, deleted }) => name === nameOrId && deleted === undefined)
}

export function addEvent(
  stack: Stack,
  event: { logicalId: string; physicalId: string; type: string; status: string; reason?: string; token?: string },
): void {
  const full: StackEvent = { ...event, id: `${event.logicalId}-${randomUUID()}`, at: new Date() }
  stack.events.push(full)
}

/** Moves a stack to a status, with its event. */
export function moveStack(stack: Stack, status: string, options: { reason?: string; token?: string } = {}): void {
  stack.status = status
  stack.reason = options.reason
  addEvent(stack, {
    logicalId: stack.name,
    physicalId: stack.id,
    type: 'AWS::CloudFormation::Stack',
    status,
    ...options,
  })
}

/** Takes one ordered failure of this operation, if a test has ordered one. */
export function takeFailure(account: Account, logicalId: string, on: OrderedFailure['on']): string | undefined {
  const failure = account.failures.find((one) => one.logicalId === logicalId && one.on === on && one.times > 0)
  if (failure === undefined) return undefined
  if (failure.after) {
    failure.after -= 1
    return undefined
  }
  failure.times -= 1
  return failure.reason
}
