import type { Phase } from '../../domain/stacks/stack.ts'
import type { StackDefinition } from '../../domain/stacks/definition.ts'
import type { DataKeys } from '../../store/database/keys.ts'
import type { Queries } from '../../store/database/context.ts'
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

function applicable(
  variables: readonly Variable[],
  definition: Pick<StackDefinition, 'environment' | 'name'>,
): Variable[] {
  return variables
    .filter((variable) => variable.environment === null || variable.environment === definition.environment)
    .filter((variable) => variable.stack === null || variable.stack === definition.name)
    .sort((a, b) => narrowness(a) - narrowness(b))
}

/** Variables of a stack for one phase, opened. They go to the worker that holds the run and nowhere else. */
export async function variablesFor(
  queries: Queries,
  keys: DataKeys,
  repositoryId: string,
  definition: Pick<StackDefinition, 'environment' | 'name' | 'variables'>,
  phase: Phase,
): Promise<{ [name: string]: VariableValue }> {
  const values: { [name: string]: VariableValue } = {}
  for (const [name, value] of Object.entries(definition.variables)) values[name] = { value, secret: false }
  for (const variable of applicable(await listVariables(queries, repositoryId), definition)) {
    if (variable.phase !== 'both' && variable.phase !== phase) continue
    const value = keys.open(variable.valueSealed, variableContext(repositoryId, variable.id)).toString('utf8')
    values[variable.name] = { value, secret: variable.secret }
  }
  return values
}

/**
 * Which variables a stack gets in either phase, and which version of each: what enters the desired digest. The id is part
 * of it, because one that is deleted and made again begins at version 1.
 */
export function variableVersions(
  variables: readonly Variable[],
  definition: Pick<StackDefinition, 'environment' | 'name'>,
): { [name: string]: string } {
  const versions: { [name: string]: string } = {}
  for (const { name, phase, id, version } of applicable(variables, definition)) {
    versions[`${name}:${phase}`] = `${id}.${version}`
  }
  return versions
}
