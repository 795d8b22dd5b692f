import { asText } from '../template/text.ts'
import type { Stack } from '@aws-sdk/client-cloudformation'
import type { Output, ResourceChange } from '../../../domain/plans/plan.ts'
import type { Json, JsonObject } from '../../../lib/json.ts'
import type { Redaction } from '../../values/redaction.ts'
import { hasTrue, knownOf, referencesOf, sensitiveMask } from '../source/expressions.ts'

export interface OutputFacts {
  template: JsonObject
  parameters: { [name: string]: string }
  sensitive: ReadonlySet<string>
}

/** Outputs as they would be: those of resources that are made anew are unknown, the others stay or follow parameters. */
export function predictedOutputs(
  stack: Stack | null,
  changes: readonly ResourceChange[],
  { redaction, ...facts }: OutputFacts & { redaction: Redaction },
): { [name: string]: Output } {
  const current = currentValues(stack)
  const moving = new Set(
    changes
      .filter(({ actions }) => actions.some((one) => one === 'create' || one === 'replace'))
      .map(({ address }) => address),
  )
  const changing = new Set(changes.map(({ address }) => address.split('/')[0] ?? ''))
  const outputs: { [name: string]: Output } = {}
  for (const [name, expression] of expressionsOf(facts.template)) {
    const sensitive = isSensitive(expression, facts.sensitive)
    const known = knownOf(expression, facts.parameters)
    if (!hasTrue(known.mask)) {
      const shown = redaction.value(asText(known.value), sensitive)
      outputs[name] = { value: shown.value, sensitive: shown.sensitive }
      continue
    }
    const references = [...referencesOf(expression)]
    const value = current.get(name)
    const unknown =
      value === undefined ||
      references.some((one) => moving.has(one)) ||
      (isAttribute(expression) && references.some((one) => changing.has(one)))
    const shown = value === undefined ? { value: null, sensitive } : redaction.value(value, sensitive)
    outputs[name] = { value: shown.value, sensitive: shown.sensitive, ...(unknown && { unknown }) }
  }
  return outputs
}

/** Outputs as they are, sensitive ones in clear: other stacks need them, and the server seals them. */
export function outputsOf(
  stack: Stack | null,
  facts: OutputFacts,
  mask: (secret: string) => void,
): { [name: string]: Output } {
  const expressions = new Map(expressionsOf(facts.template))
  const outputs: { [name: string]: Output } = {}
  for (const [name, value] of currentValues(stack)) {
    const sensitive = isSensitive(expressions.get(name) ?? null, facts.sensitive)
    if (sensitive) mask(value)
    outputs[name] = { value, sensitive }
  }
  return outputs
}

/** Changes of outputs alone, which AWS does not list: they have to be executed all the same. */
export function outputChanges(
  stack: Stack | null,
  deployed: JsonObject | null,
  { redaction, ...facts }: OutputFacts & { redaction: Redaction },
): ResourceChange[] {
  const current = currentValues(stack)
  const before = new Map(expressionsOf(deployed ?? {}))
  const after = new Map(expressionsOf(facts.template))
  const names = [...new Set([...before.keys(), ...after.keys()])].toSorted()
  return names.flatMap((name): ResourceChange[] => {
    const [old, next] = [before.get(name), after.get(name)]
    if (JSON.stringify(old) === JSON.stringify(next)) return []
    const sensitive = isSensitive(next ?? null, facts.sensitive) || isSensitive(old ?? null, facts.sensitive)
    const known = next === undefined ? undefined : knownOf(next, facts.parameters)
    const isKnown = known !== undefined && !hasTrue(known.mask)
    return [
      {
        address: `Outputs.${name}`,
        type: 'output',
        actions: [old === undefined ? 'create' : next === undefined ? 'delete' : 'update'],
        attributes: [
          {
            path: 'Value',
            ...(current.has(name) && { before: redaction.value(current.get(name)!, sensitive).value }),
            ...(isKnown && { after: redaction.value(asText(known.value), sensitive).value }),
            ...(next !== undefined && !isKnown && { unknown: true }),
            ...(sensitive && { sensitive }),
          },
        ],
        cause: 'config',
      },
    ]
  })
}

const currentValues = (stack: Stack | null): Map<string, string> =>
  new Map((stack?.Outputs ?? []).map(({ OutputKey: name = '', OutputValue: value = '' }) => [name, value]))

function expressionsOf(template: JsonObject): [string, Json][] {
  const outputs = template['Outputs']
  if (outputs === null || typeof outputs !== 'object' || Array.isArray(outputs)) return []
  return Object.entries(outputs as { [name: string]: { Value?: Json } })
    .filter(([name]) => !name.startsWith('Fn::'))
    .map(([name, output]) => [name, output?.Value ?? null])
}

const isSensitive = (expression: Json, sensitive: ReadonlySet<string>): boolean =>
  hasTrue(sensitiveMask(expression, sensitive))

const isAttribute = (expression: Json): boolean => JSON.stringify(expression).includes('Fn::GetAtt')
