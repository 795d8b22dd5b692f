import { TrueupError } from '../../lib/errors/error.ts'
import type { Pipeline } from './pipeline.ts'
import type { ReadTree } from './trees.ts'

/** Merges that are looked through for the one that brought a stack's desired state. */
const MOST_MERGES = 1_000

/**
 * The commit of the branch that made each stack what it is to be now: the newest, going back by first parents, before which
 * its source was another. A stack that takes another one's outputs may have to be deployed for that one's sake; then the
 * newest merge counts that changed any stack that it needs. After it stand the newer commits: where a merge request is
 * rebased or fast-forwarded onto the branch, it is the last of its commits that the forge knows as its merge.
 */
export function broughtBy(
  { checkout, trees }: Pick<Pipeline, 'checkout' | 'trees'>,
  commit: string,
  tree: ReadTree,
): (stack: string) => Promise<readonly string[]> {
  const upstream = (stack: string): string[] => {
    const all = new Set<string>()
    const walk = (key: string): void => {
      if (all.has(key)) return
      all.add(key)
      for (const { stack: other } of Object.values(tree.stacks.get(key)?.definition.inputs ?? {})) walk(other)
    }
    walk(stack)
    return [...all]
  }
  return async (stack) => {
    const digests = (of: ReadTree | null): string =>
      JSON.stringify(upstream(stack).map((key) => of?.stacks.get(key)?.sourceDigest ?? null))
    const now = digests(tree)
    let at = commit
    const newer: string[] = []
    for (let merges = 0; merges < MOST_MERGES; merges++) {
      const { parents } = await checkout.repository.commit(at)
      const [parent] = parents
      if (parent === undefined || digests(await trees.find(parent)) !== now) return [at, ...newer]
      newer.unshift(at)
      at = parent
    }
    throw new TrueupError('TOO_LARGE', {
      doing: `looking for the merge that brought ${stack}`,
      why: `it is none of the newest ${MOST_MERGES}`,
      next: 'Give --plan-file.',
    })
  }
}
