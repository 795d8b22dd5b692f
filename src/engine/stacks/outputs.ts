import type { Output } from '../../domain/plans/plan.ts'
import type { StackKey } from '../../domain/stacks/stack.ts'
import type { StackDefinition } from '../../domain/stacks/definition.ts'
import type { Json } from '../../lib/json.ts'
import type { Queries } from '../../store/database/context.ts'
import type { DataKeys } from '../../store/database/keys.ts'
import { listOutputs, setOutputs } from '../../store/stacks/outputs.ts'
import { findStack } from '../../store/stacks/stacks.ts'
import type { EngineParts } from '../parts.ts'

const outputContext = (stackId: string, name: string): string => `output:${stackId}:${name}`

/** Outputs of the last successful apply of every stack that this one takes inputs from, by stack key. */
export async function currentOutputs(
  parts: Pick<EngineParts, 'store' | 'keys'>,
  repositoryId: string,
  definition: Pick<StackDefinition, 'inputs' | 'environment' | 'key'>,
): Promise<Map<StackKey, { [name: string]: Output }>> {
  const found = new Map<StackKey, { [name: string]: Output }>()
  const keys = new Set(Object.values(definition.inputs).map((input) => input.stack))
  for (const key of keys) {
    const name = key.slice(definition.environment.length + 1)
    const stack = await findStack(parts.store.db, { repositoryId, environment: definition.environment, name })
    if (stack) found.set(key, await outputsOfStack(parts.store.db, parts.keys, stack.id))
  }
  return found
}

export async function outputsOfStack(
  queries: Queries,
  keys: DataKeys,
  stackId: string,
): Promise<{ [name: string]: Output }> {
  const outputs: { [name: string]: Output } = {}
  for (const row of await listOutputs(queries, stackId)) {
    const value = row.sensitive
      ? (JSON.parse(keys.open(row.value as string, outputContext(stackId, row.name)).toString('utf8')) as Json)
      : row.value
    outputs[row.name] = { value, sensitive: row.sensitive }
  }
  return outputs
}

/** Replaces a stack's outputs; sensitive values are sealed before they reach the database. */
export async function recordOutputs(
  tx: Queries,
  keys: DataKeys,
  stackId: string,
  outputs: { [name: string]: Output },
): Promise<void> {
  const known = Object.entries(outputs).filter(([, output]) => !output.unknown)
  const sealed = known.map(([name, { value, sensitive }]) => {
    const stored = sensitive ? keys.seal(Buffer.from(JSON.stringify(value)), outputContext(stackId, name)) : value
    return [name, { value: stored, sensitive }] as const
  })
  await setOutputs(tx, stackId, Object.fromEntries(sealed))
}
