import type { WorkingTree } from '../local/working-tree.ts'
import { documentsOf, type Fields, fields, list, type Manifest, text } from './manifests.ts'

/** Keys under which the chart argocd-apps takes what it makes, with their kinds. */
const KINDS = { applications: 'Application', applicationsets: 'ApplicationSet' } as const

/**
 * Applications and ApplicationSets that are values of a chart which makes them, as `argocd-apps` of the Argo project does:
 * mappings by name, or lists with names (its form before 2.0), also below the name of a dependency.
 */
export async function argoValues(tree: WorkingTree): Promise<Manifest[]> {
  const documents = await documentsOf(
    tree,
    Object.keys(KINDS).map((key) => `${key}:`),
  )
  return documents.flatMap(({ file, value }) => {
    const values = fields(value)
    if (values['apiVersion'] !== undefined) return []
    return [values, ...Object.values(values).map(fields)].flatMap((each) => made(each, file))
  })
}

function made(values: Fields, file: string): Manifest[] {
  return Object.entries(KINDS).flatMap(([key, kind]) => {
    const given = values[key]
    const entries: [string, Fields][] = Array.isArray(given)
      ? list(given)
          .map(fields)
          .map((one) => [text(one['name']) ?? '', one])
      : Object.entries(fields(given)).map(([name, one]) => [name, fields(one)])
    return entries.flatMap(([name, spec]): Manifest[] =>
      isSpec(spec, kind) ? [{ file, apiVersion: 'argoproj.io/v1alpha1', kind, name, spec }] : [],
    )
  })
}

/** Other charts have keys of these names too. */
const isSpec = (spec: Fields, kind: string): boolean =>
  kind === 'ApplicationSet'
    ? spec['generators'] !== undefined && spec['template'] !== undefined
    : (spec['source'] ?? spec['sources']) !== undefined && spec['destination'] !== undefined
