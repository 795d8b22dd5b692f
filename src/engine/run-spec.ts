import type { Cause } from '../domain/plans/plan.ts'
import type { RunRequest } from '../domain/runs/run-request.ts'
import type { ResolvedInput, StackKey } from '../domain/stacks/stack.ts'
import type { StackDefinition } from '../domain/stacks/definition.ts'
import type { JsonObject } from '../lib/json.ts'
import type { StackSource } from './snapshot/snapshot.ts'

/** What a run is made of, frozen when it is made and stored as `runs.spec`. */
export interface RunSpec {
  definition: StackDefinition
  /** Digest of the source inside the repository, without inputs and variables. */
  sourceDigest: string
  /** Paths of the repository to materialise, the stack's own first. */
  paths: string[]
  destroy: boolean
  /** Why the run exists, where that is known for all of its changes. */
  cause: Cause | null
  /** Preview only: predicted inputs from upstream previews of the same MR; sensitive ones without their value. */
  predicted?: { [name: string]: ResolvedInput }
  /** Preview only: sensitive inputs are placeholders, since nobody has approved the change yet. */
  placeholders?: boolean
  /** Preview only: nobody vouches for the code; it is planned in a sandbox, with nothing of the environment. */
  untrusted?: boolean
  /** Preview only: needed stacks that are not deployed as the MR has them; absent where there is none. */
  awaits?: StackKey[]
  /** Preview only: what was deployed when it was made; another deployment makes the preview stale. */
  base?: string | null
  /** Deploy only: its commit went past a gate that says no, and waits for a person whatever rules the commit brought. */
  pastGate?: boolean
  /** Deploy, destroy: the commit that ordered it, where that was not signed as the environment asks. Judged again at each start. */
  unsigned?: string
  /** The run before was lost while a not idempotent apply was under way. */
  afterLostApply?: boolean
  /** Drift only: file patches are wanted for a codify MR. */
  codify?: boolean
  /** Drift only: who asked for the codify MR; absent where the stack's mode does. */
  codifyFor?: string
  /** A person who ordered the run; like the author of an MR they do not approve it themselves. */
  orderedById?: string
  /** Heal only: what a person asked for instead of the whole. */
  request?: RunRequest
}

export function specOf(source: StackSource, more: Partial<RunSpec> = {}): RunSpec {
  const { definition, sourceDigest, paths } = source
  return { definition, sourceDigest, paths, destroy: false, cause: null, ...more }
}

/** The store keeps specs as plain JSON; this is the one place that says so. */
export const specToJson = (spec: RunSpec): JsonObject => spec as unknown as JsonObject
export const specOfRun = (run: { spec: unknown }): RunSpec => run.spec as RunSpec
