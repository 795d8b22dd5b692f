import type { CodeOwners } from './gates/code-owners.ts'
import { ownerGroupsOf } from './gates/code-owners.ts'
import type { StackDefinition } from './stacks/definition.ts'

/**
 * What stacks are found by beside their names, as words between blanks: `@ada` and `@team/payments` own it, `tier=web` is a label,
 * `tofu@1.12.6` a tool. Searching looks for a part of the text, filtering for a whole word.
 */
export type Facets = string

/** More is cut off at a word: the text stands in an index. */
const MAX_CHARS = 1_000

/** Owners (of CODEOWNERS, by the stack's directory) and labels of a stack. */
export const facetsOf = (definition: Pick<StackDefinition, 'path' | 'labels'>, owners: CodeOwners | null): Facets =>
  toFacets([
    ...ownersOf(definition, owners),
    ...Object.entries(definition.labels ?? {}).map(([name, value]) => `${name}=${value}`),
  ])

export const toolFacets = (versions: { readonly [tool: string]: string }): Facets =>
  toFacets(Object.entries(versions).map(([tool, version]) => `${tool}@${version}`))

/** Owners as they are written: `@ada`, `@team/payments`, an address. Those whose approval nobody needs are not among them. */
function ownersOf({ path }: Pick<StackDefinition, 'path'>, owners: CodeOwners | null): string[] {
  if (owners === null) return []
  // Rules are for files, and a directory's own are those that any file in it has.
  const file = path === '.' ? '.stack' : `${path}/.stack`
  const names = ownerGroupsOf(owners, file).flatMap((group) => group.owners)
  return [
    ...new Set(names.map(({ kind, name }) => (kind === 'email' ? name : kind === 'team' ? teamOf(name) : `@${name}`))),
  ]
}

const teamOf = (name: string): string => (name.includes('/') ? `@${name}` : `@team/${name}`)

function toFacets(words: readonly string[]): Facets {
  let text = ' '
  for (const word of words.toSorted()) {
    const next = `${text}${word.replaceAll(/\s/g, '_')} `
    if (next.length > MAX_CHARS) break
    text = next
  }
  return text
}

/** The words again, as they are shown. */
export const wordsOf = (facets: Facets | null): string[] => (facets ?? '').split(' ').filter(Boolean)
