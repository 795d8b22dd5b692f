import type { CodeOwners, OwnersDialect } from '../../domain/gates/code-owners.ts'
import type { TrueupConfig } from '../../domain/config/schema.ts'
import type { Finding } from '../../domain/plans/plan.ts'
import type { StackKey } from '../../domain/stacks/stack.ts'
import type { Place } from '../../domain/plans/place.ts'
import type { StackDefinition } from '../../domain/stacks/definition.ts'
import type { ErrorBody } from '../../lib/errors/error.ts'
import type { InterestIndex } from './interest-index.ts'
import type { TreeView } from '../../git/tree-view.ts'

/** One stack as one tree describes it, with everything that its desired state comes from inside the repository. */
export interface StackSource {
  definition: StackDefinition
  /** Digest of the source alone: the desired digest without the values of inputs and the versions of variables. */
  sourceDigest: string
  /** Paths outside the stack's directory that the driver named, sorted, whether or not they exist. */
  dependencies: string[]
  /** Directories and files to materialise, the stack's own directory first. */
  paths: string[]
  /** Every path whose change may change the digest (paths, and where watch globs start). */
  interests: string[]
  /** What the stack manages alone, as far as the tree tells. */
  place: Place | null
}

/** What one tree of a repository says should be. Immutable; equal trees share one snapshot. */
export interface Snapshot {
  treeOid: string
  /** Looks things up in the tree; what it has read serves the next snapshot. */
  view: TreeView
  /** Blob of trueup.yaml; null where the tree has none. */
  configOid: string | null
  config: TrueupConfig | null
  stacks: ReadonlyMap<StackKey, StackSource>
  /** Directories of the tree; kept only where the configuration has globs that need them. */
  directories: readonly string[]
  index: InterestIndex
  owners: CodeOwners | null
  /** How its CODEOWNERS is read. */
  dialect: OwnersDialect
  findings: Finding[]
  /** Errors that make the whole configuration unusable; `stacks` is empty then. */
  problems: ErrorBody[]
}

export const CONFIG_FILE = 'trueup.yaml'
