import { compileGlob } from '../glob.ts'
import type { ResourceChange } from './plan.ts'
import type { IgnoreRule } from './ignore-rule.ts'

export type IgnoreMatcher = (address: string, attributePath: string) => boolean

/**
 * Compiles rules once; the result is cheap to call for every attribute of a large plan.
 *
 * Both sides are globs (`glob.ts`). Addresses are split at slashes, and a last segment `*` stands for everything below:
 * `Deployment/*` is every Deployment, in whichever namespace; `/etc/*.conf` is not `/etc/nginx/site.conf`. Attributes are
 * split at dots and brackets, and a rule covers what lies below: `spec.replicas` also `spec.replicas.max`,
 * `spec.ports[*].name` the name of each port. Throws CONFIG_INVALID for a pattern that cannot be read.
 */
export function compileIgnore(rules: readonly IgnoreRule[]): IgnoreMatcher {
  const compiled = rules.map(({ address, attribute }) => ({
    address: compileGlob(address.replace(/(^|\/)\*$/, '$1**'), { hidden: true }),
    attribute: compileAttribute(attribute),
  }))
  // Callers go through a plan resource by resource: the rules of the last address are kept.
  let lastAddress: string | null = null
  let attributes: ((path: string) => boolean)[] = []
  return (address, attributePath) => {
    if (address !== lastAddress) {
      attributes = compiled.filter((rule) => rule.address(address)).map((rule) => rule.attribute)
      lastAddress = address
    }
    return attributes.some((matches) => matches(attributePath))
  }
}

export function matchesIgnore(rules: readonly IgnoreRule[], address: string, attributePath: string): boolean {
  return rules.length > 0 && compileIgnore(rules)(address, attributePath)
}

/**
 * Takes the ignored attributes out of updates; an update of which nothing is left is no change. Creations, deletions and
 * replacements stay whole: they do not tear a single attribute from another's hands. Changes that no rule touches are
 * returned as they are (the same objects), the given ones are never altered.
 */
export function applyIgnoreToChanges(
  changes: readonly ResourceChange[],
  rules: readonly IgnoreRule[],
): ResourceChange[] {
  if (rules.length === 0) return [...changes]
  const ignored = compileIgnore(rules)
  return changes.flatMap((change) => {
    if (!change.actions.includes('update')) return [change]
    const attributes = change.attributes.filter(({ path }) => !ignored(change.address, path))
    if (attributes.length === change.attributes.length) return [change]
    if (attributes.length > 0) return [{ ...change, attributes }]
    const actions = change.actions.filter((action) => action !== 'update')
    return actions.length > 0 ? [{ ...change, actions, attributes }] : []
  })
}

function compileAttribute(pattern: string): (path: string) => boolean {
  const below = compileGlob(asSegments(pattern), { hidden: true })
  const wanted = asSegments(pattern)
  const depth = wanted.includes('**') ? null : wanted.split('/').length
  return (path) => {
    const segments = asSegments(path)
    if (depth === null) return below(segments) || prefixes(segments).some(below)
    return below(segments.split('/').slice(0, depth).join('/'))
  }
}

/** `spec.ports[0].name` as `spec/ports/0/name`; a slash of the name itself becomes a character that splits nothing. */
function asSegments(path: string): string {
  return path.replaceAll('/', '\u2215').replaceAll(/\.?\[/g, '/').replaceAll(']', '').replaceAll('.', '/')
}

function prefixes(segments: string): string[] {
  const parts = segments.split('/')
  return parts.map((_, i) => parts.slice(0, i + 1).join('/'))
}
