import { resolveEnvironment } from '../../domain/stacks/environment.ts'
import type { MergeRequest } from '../../store/changes/merge-requests.ts'
import { judge } from '../merge-requests/gate.ts'
import type { EngineParts } from '../parts.ts'
import type { Snapshot } from '../snapshot/snapshot.ts'

/** One commit of a default branch, by the rules that held before it and those that it brings. */
interface Landed {
  repositoryId: string
  /** Null where nobody asked for it by a merge request. */
  mr: MergeRequest | null
  before: Snapshot
  after: Snapshot
}

/**
 * Environments in which a commit has not got what the gate asks for. Nobody merges past Trueup's own forge; elsewhere people
 * may, and then its plans are no approved ones there, whatever rules it brings itself: environments that it makes are
 * among them, and where it was pushed beside every merge request those that were protected. A bypass is a person's own
 * decision, on record.
 */
export async function unapprovedEnvironments(parts: EngineParts, landed: Landed): Promise<ReadonlySet<string>> {
  const { repositoryId, mr, before, after } = landed
  if ((await parts.forges.of(repositoryId)).gated) return new Set()
  if (!mr) return new Set(namesIn(before).filter((name) => resolveEnvironment(name, before.config!).protected))
  if (mr.bypassReason !== null) return new Set()
  const { outcome } = await judge(parts, mr)
  const lacking = outcome.requirements.filter(({ satisfied, blocking }) => blocking && !satisfied)
  const named = lacking.flatMap(({ environment }) => (environment === undefined ? [] : [environment]))
  const known = new Set(namesIn(before))
  const made = named.length === 0 ? [] : namesIn(after).filter((name) => !known.has(name))
  return new Set([...named, ...made])
}

const namesIn = ({ config }: Snapshot): string[] => Object.keys(config?.environments ?? {})
