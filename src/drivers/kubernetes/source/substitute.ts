import type { DriverContext } from '../../driver.ts'
import { canonicalJson, type Json } from '../../../lib/json.ts'
import { asJson, type KubeObject } from '../objects/object.ts'
import type { Manifest, Problem } from './manifests.ts'

/** As in templates of the `files` driver; `$${inputs.NAME}` stays as `${inputs.NAME}`. */
const REFERENCE = /(\$?)\$\{(inputs|variables)\.([A-Za-z_][\w.-]*)\}/g
/** Places (the kind, then the path) of maps from text to text. */
const ONLY_TEXT = /^(ConfigMap\.data|Secret\.(data|stringData))\.|\.metadata\.(labels|annotations)\./
const WHOLE = /^\$\{inputs\.([A-Za-z_][\w.-]*)\}$/

/**
 * Fills `${inputs.NAME}` and `${variables.NAME}` into the texts of the objects, after rendering, so that a value cannot
 * change the structure around it. A text that is nothing but one input becomes its value, numbers and lists too, except
 * where Kubernetes takes only text (labels, annotations, the data of ConfigMaps and Secrets): there it becomes JSON.
 */
export function substituted(
  context: Pick<DriverContext<unknown>, 'inputs' | 'env'>,
  manifests: readonly Manifest[],
  problems: Problem[],
): Manifest[] {
  return manifests.map((manifest) => {
    if (!holdsReference(manifest)) return manifest
    const fill = (value: Json, path: string): Json => {
      if (typeof value === 'string') return value.includes('${') ? fillText(value, path, manifest) : value
      if (Array.isArray(value)) return value.map((inner) => fill(inner, `${path}[]`))
      if (value === null || typeof value !== 'object') return value
      return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, fill(inner, `${path}.${name}`)]))
    }
    return { ...manifest, object: fill(asJson(manifest.object), manifest.object.kind) as unknown as KubeObject }
  })

  function fillText(text: string, at: string, { path, line }: Manifest): Json {
    const whole = ONLY_TEXT.test(at) ? undefined : WHOLE.exec(text)?.[1]
    if (whole !== undefined && context.inputs[whole]) return context.inputs[whole].value
    return text.replaceAll(REFERENCE, (match: string, escape: string, kind: string, name: string) => {
      if (escape === '$') return match.slice(1)
      const value = kind === 'inputs' ? context.inputs[name]?.value : context.env[name]
      if (value !== undefined) return typeof value === 'string' ? value : canonicalJson(value)
      const one = kind === 'inputs' ? 'input' : 'variable'
      problems.push({
        ...(path !== undefined && { path }),
        ...(line !== undefined && { line }),
        message: `there is no ${one} "${name}" (write $\${${kind}.${name}} for the text itself)`,
      })
      return match
    })
  }
}

const scanned = new WeakMap<KubeObject, boolean>()

/** Most objects hold none, and are then passed on as they are. */
function holdsReference({ object }: Manifest): boolean {
  let holds = scanned.get(object)
  if (holds === undefined) {
    holds = /\$\{(inputs|variables)\./.test(JSON.stringify(object))
    scanned.set(object, holds)
  }
  return holds
}

/** Values of variables that the texts name: a driver is not told which of them are secret, so all are. */
export function namedVariables(context: Pick<DriverContext<unknown>, 'env'>, manifests: readonly Manifest[]): string[] {
  const text = JSON.stringify(manifests.filter(holdsReference).map(({ object }) => object))
  const names = [...text.matchAll(REFERENCE)].filter(([, , kind]) => kind === 'variables').map(([, , , name]) => name)
  return names.flatMap((name) => (name !== undefined && context.env[name] ? [context.env[name]] : []))
}
