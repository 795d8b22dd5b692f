import { asText } from '../template/text.ts'
import { readFile } from 'node:fs/promises'
import type { Parameter } from '@aws-sdk/client-cloudformation'
import { parse } from 'yaml'
import { z } from 'zod'
import { TrueupError } from '../../../lib/errors/error.ts'
import type { Json, JsonObject } from '../../../lib/json.ts'
import type { DriverContext } from '../../driver.ts'
import type { CloudFormationConfig } from '../config.ts'
import { insideWorkspace } from '../../paths/inside.ts'

/** Values of a template's parameters, and which of them nobody may see. */
export interface ParameterValues {
  /** What is sent: every declared parameter that has a value other than its default. */
  given: Parameter[]
  /** Every parameter's value, defaults included. */
  values: { [name: string]: string }
  /** Parameters with `NoEcho`, and those whose value is a secret of ours. */
  sensitive: Set<string>
  /** Sensitive ones without `NoEcho`: AWS shows them to everybody who may read the stack. */
  unguarded: string[]
}

const FileContent = z.union([
  z.array(z.object({ ParameterKey: z.string(), ParameterValue: z.json() })),
  z.object({ Parameters: z.record(z.string(), z.json()) }).loose(),
  z.record(z.string(), z.json()),
])

/**
 * Values by precedence: stack inputs, secrets of the environment, `parameters`, `parameterFiles`, the template's default.
 * CONFIG_INVALID for names the template lacks, for parameters without a value, and for variables that are not set.
 */
export async function parameterValues(
  context: DriverContext<CloudFormationConfig>,
  template: JsonObject,
): Promise<ParameterValues> {
  const declared = declaredIn(template)
  const configured = new Map<string, Json>()
  for (const file of context.config.parameterFiles) {
    for (const [name, value] of await readFileOf(context, file)) configured.set(name, value)
  }
  for (const [name, value] of Object.entries(context.config.parameters)) configured.set(name, value)
  refuseUnknown(context, declared, [...configured.keys(), ...Object.keys(context.config.secretParameters)])

  const secret = new Set<string>()
  for (const [name, variable] of Object.entries(context.config.secretParameters)) {
    const value = context.env[variable]
    if (value === undefined)
      throw missing(context, `the variable ${variable}, the value of parameter ${name}, is not set`)
    configured.set(name, value)
    secret.add(name)
  }
  for (const [name, input] of Object.entries(context.inputs)) {
    // Inputs that the template does not declare may be there for another driver's sake, or for order alone.
    if (declared[name] === undefined) continue
    configured.set(name, input.value)
    if (input.sensitive) secret.add(name)
    else secret.delete(name)
  }
  const noEcho = new Set(Object.keys(declared).filter((name) => asText(declared[name]?.['NoEcho']) === 'true'))
  const values: { [name: string]: string } = {}
  const without: string[] = []
  for (const [name, declaration] of Object.entries(declared)) {
    const value = configured.get(name) ?? declaration['Default']
    if (value === undefined) without.push(name)
    else values[name] = parameterText(value)
  }
  if (without.length > 0)
    throw missing(
      context,
      `${without.length > 1 ? 'parameters' : 'parameter'} ${without.join(', ')} of the template ${without.length > 1 ? 'have' : 'has'} no value`,
    )
  return {
    values,
    given: [...configured.entries()].map(([ParameterKey, value]) => ({
      ParameterKey,
      ParameterValue: parameterText(value),
    })),
    sensitive: new Set([...noEcho, ...secret]),
    unguarded: [...secret].filter((name) => !noEcho.has(name)),
  }
}

export const declaredIn = (template: JsonObject): { [name: string]: JsonObject } => {
  const parameters = template['Parameters']
  return parameters !== null && typeof parameters === 'object' && !Array.isArray(parameters)
    ? (parameters as { [name: string]: JsonObject })
    : {}
}

async function readFileOf(context: DriverContext<CloudFormationConfig>, file: string): Promise<[string, Json][]> {
  const doing = `reading the parameter file ${file} of stack "${context.stack.name}"`
  const text = await readFile(await insideWorkspace(context, file), 'utf8').catch((cause: unknown) => {
    throw new TrueupError('SOURCE_INVALID', { doing, why: 'it does not exist', cause })
  })
  let content: z.infer<typeof FileContent>
  try {
    content = FileContent.parse(parse(text))
  } catch (cause) {
    const why =
      cause instanceof z.ZodError
        ? 'it is no object of parameters and no list of ParameterKey and ParameterValue'
        : (cause as Error).message
    throw new TrueupError('SOURCE_INVALID', { doing, why, cause, details: { path: file } })
  }
  if (Array.isArray(content))
    return content.map(({ ParameterKey, ParameterValue }) => [ParameterKey, ParameterValue as Json])
  const { Parameters: inner } = content as { Parameters?: Json }
  const object = inner !== null && typeof inner === 'object' && !Array.isArray(inner) ? inner : content
  return Object.entries(object as JsonObject)
}

function refuseUnknown(
  context: DriverContext<unknown>,
  declared: { [name: string]: JsonObject },
  names: readonly string[],
): void {
  const unknown = names.filter((name) => declared[name] === undefined)
  if (unknown.length === 0) return
  throw new TrueupError('CONFIG_INVALID', {
    doing: `reading the parameters of stack "${context.stack.name}"`,
    why: `the template declares no parameter ${unknown.join(', ')}`,
    next: `It has ${Object.keys(declared).join(', ') || 'none'}.`,
  })
}

const missing = (context: DriverContext<unknown>, why: string): TrueupError =>
  new TrueupError('CONFIG_INVALID', {
    doing: `reading the parameters of stack "${context.stack.name}"`,
    why,
    next: 'Set it under `with.parameters`, in a parameter file, as an input of the stack, or as a variable that `secretParameters` names.',
  })

/** As CloudFormation takes values: lists with commas, everything else as text. */
const parameterText = (value: Json): string =>
  Array.isArray(value) ? value.map(parameterText).join(',') : asText(value)
