import type { Finding } from '../../../domain/plans/plan.ts'
import { TrueupError } from '../../../lib/errors/error.ts'
import type { DriverContext } from '../../driver.ts'
import type { KubernetesConfig } from '../config.ts'
import { hookOf } from '../objects/hooks.ts'
import { keyOf, refOf } from '../objects/object.ts'
import { findHelm, renderHelm } from './helm.ts'
import { findKustomize, renderKustomize } from './kustomize.ts'
import { chooseRenderer, type Renderer } from './locate.ts'
import type { Capabilities } from './capabilities.ts'
import type { Manifest, Problem, RawManifests } from './manifests.ts'
import { isSecret, normalised, secretTexts } from './normal.ts'
import { otherTools } from './other-tools.ts'
import { readPlain } from './plain.ts'
import { shapeProblems } from './secret-shape.ts'
import { namedVariables, substituted } from './substitute.ts'
import { varyingPaths } from './varying.ts'

/** What the source says there should be. */
export interface Rendered {
  manifests: Manifest[]
  problems: Problem[]
  /** What rendered it, with its version: `kustomize 5.8.1`; empty for plain YAML. */
  renderer: string
  /** What is no mistake and worth knowing. */
  findings: Finding[]
  /** Values of Secrets and of variables: nothing that holds one may leave the worker. */
  secrets: string[]
}

const RENDERERS: {
  readonly [renderer in Renderer]: (
    context: DriverContext<KubernetesConfig>,
    problems: Problem[],
    capabilities: Capabilities | null,
  ) => Promise<RawManifests>
} = {
  yaml: async (context, problems) => ({ manifests: await readPlain(context, problems), again: null }),
  kustomize: async (context, problems) => ({ manifests: await renderKustomize(context, problems), again: null }),
  helm: renderHelm,
}

/**
 * Renders the stack without a cluster, a chart with what is known of its cluster. Problems of single objects are collected;
 * what stops the tool is thrown.
 */
export async function render(
  context: DriverContext<KubernetesConfig>,
  capabilities: Capabilities | null = null,
): Promise<Rendered> {
  const problems: Problem[] = []
  const { manifests: raw, again } = await RENDERERS[await chooseRenderer(context)](context, problems, capabilities)
  const secrets = namedVariables(context, raw)
  const filled = substituted(context, raw, problems)
  const whole = (list: readonly Manifest[]): Manifest[] =>
    list.map((manifest) => ({ ...manifest, object: normalised(manifest.object) }))
  const second = again === null ? null : whole(substituted(context, again, []))
  const manifests = second === null ? whole(filled) : withVarying(whole(filled), second, problems)
  for (const { object } of manifests) if (isSecret(object)) secrets.push(...secretTexts(object))
  problems.push(...filled.flatMap(unreadable), ...repeated(manifests), ...otherTools(manifests))
  const [wrong, odd] = [problems.filter(({ warning }) => !warning), problems.filter(({ warning }) => warning)]
  const renderer = Object.entries(await versions(context)).map((one) => one.join(' '))
  return { manifests, problems: wrong, renderer: renderer.join(), findings: odd.map(asWarning), secrets }
}

const asWarning = ({ warning = '', ...place }: Problem): Finding => ({ severity: 'warning', code: warning, ...place })

/** Renders, or throws SOURCE_INVALID with the first problems. */
export async function renderOrThrow(
  context: DriverContext<KubernetesConfig>,
  capabilities: Capabilities | null = null,
): Promise<Rendered> {
  const rendered = await render(context, capabilities)
  const { problems } = rendered
  if (problems.length === 0) return rendered
  const shown = problems.slice(0, 5).map(({ path, line, message }) => [path, line, message].filter(Boolean).join(':'))
  throw new TrueupError('SOURCE_INVALID', {
    doing: `reading the objects of stack "${context.stack.name}"`,
    why: [...shown, ...(problems.length > 5 ? [`and ${problems.length - 5} more`] : [])].join('; '),
  })
}

/** Versions of what renders; plain YAML needs no tool. */
export async function versions(context: DriverContext<KubernetesConfig>): Promise<{ [tool: string]: string }> {
  const renderer = await chooseRenderer(context)
  if (renderer === 'yaml') return {}
  const { name, version } = renderer === 'helm' ? await findHelm(context) : await findKustomize(context)
  return { [name]: version }
}

function unreadable({ object, path, line }: Manifest): Problem[] {
  if (!isSecret(object)) return []
  return shapeProblems(object).map((why) => ({
    ...(path !== undefined && { path }),
    ...(line !== undefined && { line }),
    message: `Secret "${object.metadata.name}": ${why}`,
  }))
}

/** Marks what two renderings of one source make differently; an object that has another name each time is a problem. */
function withVarying(manifests: readonly Manifest[], again: readonly Manifest[], problems: Problem[]): Manifest[] {
  const second = new Map(again.map(({ object }) => [keyOf(refOf(object)), object]))
  return manifests.map((manifest) => {
    const { object } = manifest
    const name = `${object.kind} "${object.metadata.name}"`
    const twin = second.get(keyOf(refOf(object)))
    if (!twin) {
      if (hookOf(object) === null) problems.push({ message: `${name} has another name with each rendering` })
      return manifest
    }
    const varying = varyingPaths(object, twin)
    if (varying.length === 0) return manifest
    const message = `${name} is rendered otherwise each time at ${varying.join(', ')}: made once and then kept as it is in the cluster; set it in the values to decide it`
    problems.push({ message, warning: 'varying_render' })
    return { ...manifest, varying }
  })
}

function repeated(manifests: readonly Manifest[]): Problem[] {
  const seen = new Map<string, Manifest>()
  const problems: Problem[] = []
  for (const manifest of manifests) {
    const key = keyOf(refOf(manifest.object))
    const first = seen.get(key)
    if (!first) seen.set(key, manifest)
    else {
      const { object, path, line } = manifest
      const where = first.path === undefined ? '' : `, first in ${first.path}:${first.line ?? 1}`
      problems.push({
        ...(path !== undefined && { path }),
        ...(line !== undefined && { line }),
        message: `${object.kind} "${object.metadata.name}" is there twice${where}`,
      })
    }
  }
  return problems
}
