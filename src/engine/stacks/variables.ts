import type { Phase } from '../../domain/stacks/stack.ts'
import type { StackDefinition } from '../../domain/stacks/definition.ts'
import type { DataKeys } from '../../store/database/keys.ts'
import type { Queries } from '../../store/database/context.ts'
import { listFormer } from '../../store/stacks/former-variables.ts'
import { listVariables, type Variable } from '../../store/stacks/variables.ts'

export interface VariableValue {
  value: string
  secret: boolean
}

/** What a sealed variable is bound to: moved to another row it does not open. */
export const variableContext = (repositoryId: string, id: string): string => `variable:${repositoryId}:${id}`

/** Narrower scopes win: repository < environment < stack, and a phase of its own over both; `trueup.yaml` is the widest. */
const narrowness = ({ stack, environment, phase }: Variable): number =>
  (stack !== null ? 4 : environment !== null ? 2 : 0) + (phase === 'both' ? 0 : 1)

type Named = Pick<StackDefinition, 'environment' | 'name'>

const appliesTo = (scope: Pick<Variable, 'environment' | 'stack'>, definition: Named): boolean =>
  (scope.environment === null || scope.environment === definition.environment) &&
  (scope.stack === null || scope.stack === definition.name)

const applicable = (variables: readonly Variable[], definition: Named): Variable[] =>
  variables.filter((variable) => appliesTo(variable, definition)).sort((a, b) => narrowness(a) - narrowness(b))

type Sealed = Pick<Variable, 'repositoryId' | 'id' | 'valueSealed'>
export const openVariable = (keys: DataKeys, { repositoryId, id, valueSealed }: Sealed): string =>
  keys.open(valueSealed, variableContext(repositoryId, id)).toString('utf8')

/** Those of `trueup.yaml` alone, which whoever has the file knows. */
export const plainVariables = ({ variables }: Pick<StackDefinition, 'variables'>): { [name: string]: VariableValue } =>
  Object.fromEntries(Object.entries(variables).map(([name, value]) => [name, { value, secret: false }]))

/** Variables of a stack for one phase, opened. They go to the worker that holds the run and nowhere else. */
export async function variablesFor(
  queries: Queries,
  keys: DataKeys,
  repositoryId: string,
  definition: Pick<StackDefinition, 'environment' | 'name' | 'variables'>,
  phase: Phase,
): Promise<{ [name: string]: VariableValue }> {
  const values = plainVariables(definition)
  for (const variable of applicable(await listVariables(queries, repositoryId), definition)) {
    if (variable.phase !== 'both' && variable.phase !== phase) continue
    values[variable.name] = { value: openVariable(keys, variable), secret: variable.secret }
  }
  return values
}

/**
 * Secrets that the stack's variables of one phase had before, or have in a scope that a narrower one covers: the target
 * may still hold them, so a plan that replaces them would show them. Only for hiding; no tool gets them.
 */
export async function formerSecretsFor(
  queries: Queries,
  keys: DataKeys,
  repositoryId: string,
  definition: Named,
  phase: Phase,
): Promise<string[]> {
  const concerns = (variable: Pick<Variable, 'environment' | 'stack' | 'phase'>): boolean =>
    (variable.phase === 'both' || variable.phase === phase) && appliesTo(variable, definition)
  const current = (await listVariables(queries, repositoryId)).filter((variable) => variable.secret)
  const former = (await listFormer(queries, repositoryId)).map((one) => ({ ...one, id: one.variableId }))
  return [...new Set([...current, ...former].filter(concerns).map((one) => openVariable(keys, one)))]
}

/**
 * Which variables a stack gets in either phase, and which version of each: what enters the desired digest. The id is part
 * of it, because one that is deleted and made again begins at version 1.
 */
export function variableVersions(variables: readonly Variable[], definition: Named): { [name: string]: string } {
  const versions: { [name: string]: string } = {}
  for (const { name, phase, id, version } of applicable(variables, definition)) {
    versions[`${name}:${phase}`] = `${id}.${version}`
  }
  return versions
}
