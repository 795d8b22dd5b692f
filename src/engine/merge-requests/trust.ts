import type { Finding } from '../../domain/plans/plan.ts'
import type { Role } from '../../domain/roles.ts'
import { resolveEnvironment, TRUST, type Trust } from '../../domain/stacks/environment.ts'
import type { MergeRequest } from '../../store/changes/merge-requests.ts'
import { isForkBranch } from '../../store/forges/forks.ts'
import type { EngineParts } from '../parts.ts'
import type { RunSpec } from '../run-spec.ts'
import type { Snapshot, StackSource } from '../snapshot/snapshot.ts'
import { makersOf } from './makers.ts'
import { personIn } from './voters.ts'

const NEEDED: Role = 'maintainer'

/**
 * In which environments nobody vouches for the code of an MR: the target branch does not trust who made it (`trust:`), and
 * nobody else has approved its head. Its dependants are no exception: they would be given what its plans foretell.
 */
export async function untrustedIn(
  parts: EngineParts,
  mr: MergeRequest,
  target: Snapshot,
  vetted: boolean,
): Promise<(environment: string) => boolean> {
  const levels = levelsOf(target)
  // What the target branch does not know yet is trusted no more than its most careful environment.
  const strictest = TRUST[Math.max(0, ...[...levels.values()].map((level) => TRUST.indexOf(level)))]!
  // Who has made a fork contributes to it, not to this repository.
  const isFork = isForkBranch(mr.sourceBranch)
  if (vetted || (strictest === 'contributors' && !isFork)) return () => false
  const isMaintained = await areMaintainers(parts, mr)
  return (environment) => {
    const level = levels.get(environment) ?? strictest
    return level === 'approved' || ((level === 'maintainers' || isFork) && !isMaintained)
  }
}

function levelsOf({ config }: Snapshot): Map<string, Trust> {
  const names = Object.keys(config?.environments ?? {})
  return new Map(names.map((name) => [name, resolveEnvironment(name, config!).trust]))
}

/** Author and all who have pushed a commit of it. The names in commits do not count: anybody types them. */
async function areMaintainers(parts: EngineParts, mr: MergeRequest): Promise<boolean> {
  const { authorId, pusherIds, unknownTip, problem } = await makersOf(parts, mr)
  if (unknownTip !== null || problem !== null) return false
  for (const userId of new Set([authorId, ...pusherIds]))
    if ((await personIn(parts.store.db, mr.repositoryId, userId, NEEDED)).barred !== null) return false
  return true
}

/** What such a change may reach is what the target branch says of its stack, not what it says itself. */
export function reachingAsTarget(source: StackSource, target: Snapshot): StackSource {
  const { network: _, ...definition } = source.definition
  const network = target.stacks.get(definition.key)?.definition.network
  return { ...source, definition: { ...definition, ...(network && { network }) } }
}

/** What a plan that was made without anything says of itself. */
export function untrustedFindings({ untrusted }: RunSpec): Finding[] {
  if (!untrusted) return []
  return [
    {
      severity: 'warning',
      code: 'untrusted_preview',
      message:
        'planned in a sandbox, without the variables and the state of the environment: nobody vouches for this change yet. It is planned properly once somebody else has approved this head, and that plan is approved anew',
    },
  ]
}
