import type { ResolvedInput } from '../../domain/stacks/stack.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import { canonicalJson } from '../../lib/json.ts'

/** Values that a template may name. */
export interface TemplateValues {
  inputs: { [name: string]: ResolvedInput }
  variables: { [name: string]: string }
}

export interface Rendered {
  text: string
  /** A secret went into it. */
  sensitive: boolean
}

/** A place in a template where a name is not known or not a name. */
export interface TemplateProblem {
  line: number
  why: string
}

/**
 * `${inputs.NAME}` and `${variables.NAME}` become values; `$${inputs.NAME}` stays as `${inputs.NAME}`. Nothing else has a
 * meaning, so `$host`, `${host}` and shell syntax pass through. That is the whole language.
 */
const REFERENCE = /(\$?)\$\{(inputs|variables)\.([^}\n]*)\}/g
const NAME = /^[A-Za-z_][A-Za-z0-9_.-]*$/

/** Text of a value: strings as they are, everything else as JSON. */
const textOf = (value: ResolvedInput['value']): string => (typeof value === 'string' ? value : canonicalJson(value))

/**
 * Substitutes. Variables count as secrets: a driver is not told which of them are. Throws SOURCE_INVALID for the first
 * unknown name, with file and line.
 */
export function render(template: string, values: TemplateValues, file: string): Rendered {
  const problem = problemsOf(template, values)[0]
  if (problem) {
    throw new TrueupError('SOURCE_INVALID', {
      doing: `filling in the template ${file}, line ${problem.line}`,
      why: problem.why,
      next: 'Correct the name, or declare the input or variable in trueup.yaml.',
    })
  }
  let sensitive = false
  const text = template.replace(REFERENCE, (whole, escape: string, kind: string, name: string) => {
    if (escape === '$') return whole.slice(1)
    if (kind === 'variables') {
      sensitive = true
      return values.variables[name] ?? ''
    }
    const input = values.inputs[name]
    if (input?.sensitive) sensitive = true
    return input ? textOf(input.value) : ''
  })
  return { text, sensitive }
}

/** Every reference that could not be filled in. */
export function problemsOf(template: string, values: TemplateValues): TemplateProblem[] {
  const problems: TemplateProblem[] = []
  for (const match of template.matchAll(REFERENCE)) {
    const [, escape, kind, name = ''] = match
    if (escape === '$') continue
    const line = template.slice(0, match.index).split('\n').length
    const known = kind === 'inputs' ? values.inputs : values.variables
    if (!NAME.test(name)) problems.push({ line, why: `\${${kind}.${name}} does not hold a name` })
    else if (!Object.hasOwn(known, name)) {
      const names = Object.keys(known).sort().join(', ')
      const one = kind === 'inputs' ? 'input' : 'variable'
      problems.push({ line, why: `there is no ${one} "${name}"${names === '' ? '' : `; there are ${names}`}` })
    }
  }
  return problems
}
