import type { TrueupConfig } from '../../domain/config/schema.ts'
import { gateChanges, type GateChange, type Guarded } from '../../domain/gates/changes.ts'
import { stackKey } from '../../domain/stacks/stack.ts'
import { digestOf } from '../../lib/digest.ts'
import { canonicalJson } from '../../lib/json.ts'
import type { Snapshot } from '../snapshot/snapshot.ts'

/**
 * What an MR changes of the rules that it is judged by: of trueup.yaml, and of the code owners where an environment asks
 * for theirs. Approvals bind to it as to a plan.
 */
export function ruleChanges(target: Snapshot, result: Snapshot): GateChange[] {
  // Of a file that cannot be read nobody knows what it changes; it is not removed, and nothing of it merges.
  if (!target.config || result.problems.length > 0) return []
  const changes = gateChanges(guarded(target, target.config), result.config && guarded(result, result.config))
  if (canonicalJson(target.owners) === canonicalJson(result.owners)) return changes
  const owners = digestOf(result.owners)
  const byEnvironment = new Map(changes.map((change) => [change.environment, change]))
  for (const [environment, { approvals }] of Object.entries(target.config.environments)) {
    if (!approvals?.codeOwners) continue
    const known = byEnvironment.get(environment)
    byEnvironment.set(environment, {
      environment,
      key: stackKey(environment, '(rules)'),
      digest: digestOf([known?.digest ?? null, owners]),
      what: [...(known?.what ?? []), 'code owners'],
    })
  }
  return [...byEnvironment.values()]
}

const guarded = ({ stacks }: Snapshot, config: TrueupConfig): Guarded => ({
  config,
  stacks: [...stacks.values()].map((source) => source.definition),
})
