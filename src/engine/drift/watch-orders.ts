import type { WatchOrder } from '../../domain/wire/worker-protocol.ts'
import type { JsonObject } from '../../lib/json.ts'
import { getRepository, type Repository } from '../../store/changes/repositories.ts'
import { getStack, type Stack, stacksOfPools } from '../../store/stacks/stacks.ts'
import { stackCapabilities } from '../driver-capabilities.ts'
import { resolveInputs } from '../stacks/inputs.ts'
import { hashKeyOf } from '../keys.ts'
import { currentOutputs } from '../stacks/outputs.ts'
import type { EngineParts } from '../parts.ts'
import type { RunSpec } from '../run-spec.ts'
import { formerSecretsFor, variablesFor } from '../stacks/variables.ts'
import { isInScope, type Scope } from '../../store/workers/workers.ts'

/** Deployed stacks of these pools whose driver can watch: what a worker is to keep an eye on. */
export async function watchOrders(parts: EngineParts, pools: readonly string[], scope: Scope): Promise<WatchOrder[]> {
  const stacks = await stacksOfPools(parts.store.db, pools)
  return await ordersFor(parts, stacks, { pools, scope })
}

/** The same of some stacks, by their ids. */
export async function watchOrdersOf(
  parts: EngineParts,
  stackIds: readonly string[],
  pools: readonly string[],
  scope: Scope,
): Promise<WatchOrder[]> {
  const stacks = await Promise.all(stackIds.map((id) => getStack(parts.store.db, id)))
  return await ordersFor(
    parts,
    stacks.filter((stack) => stack !== undefined),
    { pools, scope },
  )
}

interface Receiver {
  pools: readonly string[]
  scope: Scope
}

async function ordersFor(parts: EngineParts, stacks: readonly Stack[], receiver: Receiver): Promise<WatchOrder[]> {
  const repositories = new Map<string, Repository | undefined>()
  const orders: WatchOrder[] = []
  for (const stack of stacks) {
    const { repositoryId } = stack
    if (!repositories.has(repositoryId))
      repositories.set(repositoryId, await getRepository(parts.store.db, repositoryId))
    const repository = repositories.get(repositoryId)
    const order = repository && (await watchOrder(parts, repository, stack, receiver))
    if (!order) continue
    orders.push(order)
    parts.hub.noteOrder(stack.id, stack.deployedPool!)
  }
  return orders
}

async function watchOrder(
  parts: EngineParts,
  repository: Pick<Repository, 'id' | 'name'>,
  stack: Stack,
  { pools, scope }: Receiver,
): Promise<WatchOrder | null> {
  const spec = stack.deployedConfig as unknown as RunSpec | null
  if (!spec || stack.deployedCommit === null || !pools.includes(spec.definition.pool)) return null
  if (!isInScope(scope, stack) || !stackCapabilities(spec.definition).watch) return null
  const outputs = await currentOutputs(parts, repository.id, spec.definition)
  const inputs = resolveInputs(spec.definition, (key) => outputs.get(key) ?? null, false)
  if (inputs.status !== 'resolved') return null
  const { id, environment, name, deployedDigest, deployedCommit } = stack
  const hashKey = (await hashKeyOf(parts, repository.id)).toString('base64')
  return {
    stack: { id, repository: repository.name, environment, name, path: spec.definition.path },
    driver: spec.definition.driver,
    driverConfig: spec.definition.driverConfig as JsonObject,
    commit: deployedCommit,
    desiredDigest: deployedDigest ?? spec.sourceDigest,
    paths: spec.paths,
    inputs: inputs.inputs,
    variables: await variablesFor(parts.store.db, parts.keys, repository.id, spec.definition, 'plan'),
    formerSecrets: await formerSecretsFor(parts.store.db, parts.keys, repository.id, spec.definition, 'plan'),
    ignore: spec.definition.ignore,
    keys: { hash: hashKey, plan: hashKey },
  }
}
