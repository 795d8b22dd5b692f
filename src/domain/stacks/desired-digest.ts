import { digestOf } from '../../lib/digest.ts'
import { canonicalJson, type Json, type JsonObject } from '../../lib/json.ts'
import type { IgnoreRule } from '../plans/ignore-rule.ts'

/** A path of the repository and the Git object it has there (null: it does not exist). */
export interface PathObject {
  path: string
  oid: string | null
}

/**
 * Everything that decides a stack's desired state, and nothing else.
 *
 * What enters: the files (stack directory, dependencies, watched files), the driver and its settings, the tool version
 * constraint, input values, variable versions, and `ignore` and `unstable` (the first changes what is written, both change
 * which plan people are shown).
 *
 * What does not: name, environment and path of the stack (a moved directory with the same content desires the same;
 * drivers whose plan depends on them read them from `driverConfig` or the files), `needs` (an order), drift mode, approvals,
 * windows, `onRemove`, `showSecretDiff`, `sandbox`, `network` and `identity`, time-outs, worker pool (none changes what should be), and `checks` and `verify` (a new smoke test is
 * run with the next deployment; it changes nothing by itself).
 */
export interface DesiredParts {
  /** Tree OID of the stack's directory; null when it has none. */
  subtree: string | null
  /** What the driver found that the stack is built from. */
  dependencies: readonly PathObject[]
  /** Files that the `watch:` globs match. */
  watched: readonly PathObject[]
  driver: string
  driverConfig: JsonObject
  toolVersion?: string
  /** Files are decrypted; what they are then is told by what they are now. */
  sops?: boolean
  /** Input name → value, or keyed hash of a sensitive one. */
  inputs: { [name: string]: Json }
  /** Variable name → version (never the value). */
  variables: { [name: string]: string | number }
  ignore: readonly IgnoreRule[]
  unstable: readonly IgnoreRule[]
}

/** Raised when the meaning of the digest changes: every stack is then planned once more. */
const FORMAT = 1

/** The desired digest, `sha256:<hex>`. Lists are sets here: their order and repetitions do not matter. */
export function desiredDigest(parts: DesiredParts): string {
  return digestOf({
    format: FORMAT,
    subtree: parts.subtree,
    dependencies: asSet(parts.dependencies.map(({ path, oid }) => [path, oid])),
    watched: asSet(parts.watched.map(({ path, oid }) => [path, oid])),
    driver: parts.driver,
    driverConfig: parts.driverConfig,
    toolVersion: parts.toolVersion ?? null,
    // Absent where it is not said, so that other stacks keep their digest.
    ...(parts.sops && { sops: true }),
    inputs: entries(parts.inputs),
    variables: entries(parts.variables),
    ignore: asSet(parts.ignore.map(({ address, attribute }) => [address, attribute])),
    unstable: asSet(parts.unstable.map(({ address, attribute }) => [address, attribute])),
  })
}

/** As sorted canonical texts, each once; plain code-unit order, the same on every machine. */
function asSet(items: readonly unknown[]): string[] {
  return [...new Set(items.map(canonicalJson))].sort()
}

/** As pairs rather than as an object: a name such as `__proto__` then is a name like any other. */
function entries(map: { [name: string]: unknown }): string[] {
  return asSet(Object.entries(map))
}
