import type { Json } from '../../../lib/json.ts'
import { pathText, type Step } from '../objects/paths.ts'
import { asJson, groupOf, isObject, type KubeObject, valueAt } from '../objects/object.ts'
import type { Manifest, Problem } from './manifests.ts'
import { isSecret, secretTexts } from './normal.ts'

/**
 * What sources hold that another tool would still make something of, and that would be wrong in a cluster as it stands:
 * values that SOPS has encrypted and texts that Flux fills in are problems; objects that Flux or Argo CD carry out are told.
 */
export function otherTools(manifests: readonly Manifest[]): Problem[] {
  return manifests.flatMap(({ object, path, line }) => {
    const place = { ...(path !== undefined && { path }), ...(line !== undefined && { line }) }
    return [...encrypted(object), ...generator(object), ...unfilled(object), ...carriedOut(object)].map((problem) => ({
      ...problem,
      ...place,
    }))
  })
}

const nameOf = ({ kind, metadata }: KubeObject): string => `${kind} "${metadata.name}"`

/** https://getsops.io/docs/#encrypting-using-age: a map `sops` with a `mac` beside the values, which begin so. */
const ENCRYPTED = 'ENC[AES256_GCM,'

function encrypted(object: KubeObject): Problem[] {
  const hasMark = valueAt(object, 'sops', 'mac') !== undefined
  const holds = isSecret(object) && secretTexts(object).some((text) => text.includes(ENCRYPTED))
  if (!hasMark && !holds) return []
  const message = `${nameOf(object)} is encrypted by SOPS, and was not decrypted: its values would be deployed as they stand. Say \`sops: true\` and give the age key to the worker (here: SOPS_AGE_KEY_FILE), take the values from \${variables.NAME}, or leave the file out (exclude)`
  return [{ message }]
}

/** KSOPS is a plugin of Kustomize, its resource no object of a cluster (https://github.com/viaduct-ai/kustomize-sops). */
function generator(object: KubeObject): Problem[] {
  if (groupOf(object.apiVersion) !== 'viaduct.ai') return []
  return [{ message: `${nameOf(object)} is a generator of KSOPS, and plugins of Kustomize are not run here` }]
}

/** Names of Flux's `postBuild` substitution; shells and configurations of others write lower case, or no braces. */
const VARIABLE = /(?<!\$)\$\{([A-Z_][A-Z0-9_]*|[A-Za-z_]\w*:?[=-][^}]*)\}/
/** Nothing but the text itself can be meant there. */
const EXACT =
  /^metadata\.(name|namespace|labels\b.*)$|(^|\.)(host|hostname|image|storageClassName|loadBalancerIP|secretName|hosts\[\d+\]|hostnames\[\d+\]|dnsNames\[\d+\])$/
/** Programs and their settings, which have variables of their own. */
const PROGRAMS = /(^|\.)(command|args|script|data|stringData|binaryData)\b/

function unfilled(object: KubeObject): Problem[] {
  if (object.kind === 'CustomResourceDefinition') return []
  const found: { at: string; text: string }[] = []
  const walk = (value: Json, steps: readonly Step[]): void => {
    if (typeof value === 'string') {
      const text = VARIABLE.exec(value)?.[0]
      if (text !== undefined) found.push({ at: pathText(steps), text })
    } else if (Array.isArray(value)) value.forEach((item, at) => walk(item, [...steps, at]))
    else if (isObject(value)) for (const [name, inner] of Object.entries(value)) walk(inner as Json, [...steps, name])
  }
  walk(asJson(object), [])
  const said = ({ at, text }: { at: string; text: string }): string =>
    `${nameOf(object)} has ${text} at ${at}, which nothing here fills in (Flux does, by postBuild): write \${variables.NAME} or \${inputs.NAME}`
  const exact = found.filter(({ at }) => EXACT.test(at))
  if (exact.length > 0) return exact.map((one) => ({ message: said(one) }))
  const other = found.find(({ at }) => !PROGRAMS.test(at))
  return other ? [{ message: said(other), warning: 'unfilled_variable' }] : []
}

/** Objects that say what another controller of the cluster is to deploy. */
const CARRIED_OUT: { readonly [group: string]: string } = {
  'kustomize.toolkit.fluxcd.io': 'Flux',
  'helm.toolkit.fluxcd.io': 'Flux',
  'argoproj.io': 'Argo CD',
}
const DEPLOYERS = new Set(['Kustomization', 'HelmRelease', 'Application', 'ApplicationSet', 'AppProject'])

function carriedOut(object: KubeObject): Problem[] {
  const tool = CARRIED_OUT[groupOf(object.apiVersion)]
  if (tool === undefined || !DEPLOYERS.has(object.kind)) return []
  const extras = ['postBuild', 'targetNamespace', 'components', 'decryption', 'generators'].filter(
    (name) => valueAt(object, 'spec', name) !== undefined,
  )
  const more = extras.length === 0 ? '' : ` (with its ${extras.join(', ')})`
  const message = `${nameOf(object)} is applied as it is; what it deploys${more} is left to ${tool} in the cluster, and neither planned nor compared here`
  return [{ message, warning: 'left_to_other_tool' }]
}
