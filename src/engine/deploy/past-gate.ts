import { resolveEnvironment } from '../../domain/stacks/environment.ts'
import type { MergeRequest } from '../../store/changes/merge-requests.ts'
import { judge, type JudgedBy } from '../merge-requests/gate.ts'
import { readGroups } from '../merge-requests/groups.ts'
import { ruleChanges } from '../merge-requests/rule-changes.ts'
import type { EngineParts } from '../parts.ts'
import type { Snapshot } from '../snapshot/snapshot.ts'

/** One commit of a default branch, by the rules that held before it and those that it brings. */
interface Landed {
  repositoryId: string
  /** Null where nobody asked for it by a merge request. */
  mr: MergeRequest | null
  before: Snapshot
  /** Whose rules hold: those before it, or those before what came past the gate earlier. */
  rules: Snapshot
  after: Snapshot
}

/**
 * Environments in which a commit has not got what the gate asks for. Nobody merges past Trueup's own forge; elsewhere people
 * may, and then its plans are no approved ones there, whatever rules it brings itself: environments that it makes are
 * among them, and those that were protected where it was pushed beside every merge request, or merged with a head that
 * nobody has planned. A bypass is a person's own decision, on record.
 */
export async function unapprovedEnvironments(parts: EngineParts, landed: Landed): Promise<ReadonlySet<string>> {
  const { repositoryId, mr, before, rules, after } = landed
  if ((await parts.forges.of(repositoryId)).gated) return new Set()
  if (!mr) return new Set([...protectedIn(before), ...protectedIn(rules)])
  if (mr.bypassReason !== null) return new Set()
  await readGroups(parts, mr, 0)
  // By the rules that its page told of, and by those that held when it came: they may have become stricter since, or be
  // those of another branch.
  const lacking = [
    ...(await lackingBy(parts, mr, rules)),
    ...(await lackingBy(parts, mr, rules, { target: rules, result: after })),
    ...(rules === before ? [] : await lackingBy(parts, mr, before, { target: before, result: after })),
  ]
  const known = new Set(namesIn(rules))
  const made = lacking.length === 0 ? [] : namesIn(after).filter((name) => !known.has(name))
  return new Set([...lacking, ...made])
}

/** Said of a merge request that is over, or by which nobody is asked for an approval. */
const NO_MATTER: ReadonlySet<string> = new Set(['state', 'draft', 'threads'])

async function lackingBy(
  parts: EngineParts,
  mr: MergeRequest,
  rules: Snapshot,
  by?: JudgedBy,
): Promise<readonly string[]> {
  const { outcome } = await judge(parts, mr, by)
  const lacking = outcome.requirements.filter(
    ({ name, satisfied, blocking }) => blocking && !satisfied && !NO_MATTER.has(name),
  )
  return lacking.flatMap(({ environment }) => environment ?? protectedIn(rules))
}

/**
 * The commit whose rules hold from here on although this one has others; null where its own do: it brings none, or has brought
 * them through the gate.
 */
export function heldAfter(
  { rules, after }: Pick<Landed, 'rules' | 'after'>,
  unapproved: ReadonlySet<string>,
  rulesAt: string | null,
): string | null {
  return unapproved.size > 0 && ruleChanges(rules, after).length > 0 ? rulesAt : null
}

const protectedIn = (snapshot: Snapshot): string[] =>
  namesIn(snapshot).filter((name) => resolveEnvironment(name, snapshot.config!).protected)
const namesIn = ({ config }: Snapshot): string[] => Object.keys(config?.environments ?? {})
