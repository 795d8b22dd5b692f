import type { WatchOrder } from '../../domain/wire/worker-protocol.ts'
import type { JsonObject } from '../../lib/json.ts'
import { allRepositories, getRepository, type Repository } from '../../store/changes/repositories.ts'
import { allStacks, getStack, type Stack } from '../../store/stacks/stacks.ts'
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
  const orders: WatchOrder[] = []
  for (const repository of await allRepositories(parts.store.db)) {
    for (const stack of await allStacks(parts.store.db, { repositoryId: repository.id })) {
      const order = await watchOrder(parts, repository, stack, { pools, scope })
      if (order) orders.push(order)
    }
  }
  return orders
}

/** The same of some stacks, by their ids. */
export async function watchOrdersOf(
  parts: EngineParts,
  stackIds: readonly string[],
  pools: readonly string[],
  scope: Scope,
): Promise<WatchOrder[]> {
  const orders: WatchOrder[] = []
  for (const id of stackIds) {
    const stack = await getStack(parts.store.db, id)
    const repository = stack && (await getRepository(parts.store.db, stack.repositoryId))
    const order = repository && (await watchOrder(parts, repository, stack, { pools, scope }))
    if (order) orders.push(order)
  }
  return orders
}

async function watchOrder(
  parts: EngineParts,
  repository: Pick<Repository, 'id' | 'name'>,
  stack: Stack,
  { pools, scope }: { pools: readonly string[]; scope: Scope },
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
