import { type Approver, isOfForge } from '../../domain/stacks/environment.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import type { MergeRequest } from '../../store/changes/merge-requests.ts'
import type { Queries } from '../../store/database/context.ts'
import { forgeGroups, forgeGroupsOf } from '../../store/forges/groups.ts'
import { teamsOfUser } from '../../store/people/teams.ts'
import { type EngineParts, repositoryOf } from '../parts.ts'
import { rulesInForce } from '../revisions/readable.ts'

/** How old what is known of a group may be where nothing is decided for good. */
export const FOR_A_LOOK_MS = 5 * 60_000

/** Reads the groups of the forge again that the rules of a merge request name. */
export async function readGroups(parts: EngineParts, mr: MergeRequest, maxAgeMs: number): Promise<void> {
  const git = repositoryOf(parts, mr.repositoryId)
  const place = { repositoryId: mr.repositoryId, branch: mr.targetBranch }
  const { snapshot } = await rulesInForce(parts, place, mr.targetOid)
  const result = mr.mergeTreeOid === null ? null : await parts.snapshots.of(mr.repositoryId, git, mr.mergeTreeOid)
  const environments = [snapshot, result].flatMap((its) => Object.values(its?.config?.environments ?? {}))
  const named = environments.flatMap(({ approvals }) => approvals?.from ?? [])
  await readNamed(parts, mr.repositoryId, named.filter(isOfForge), maxAgeMs)
}

/** The same of those that somebody is about to be one of. While the forge is away what it said last counts, for an hour. */
export async function readNamed(
  parts: EngineParts,
  repositoryId: string,
  names: readonly string[],
  maxAgeMs: number,
): Promise<void> {
  if (names.length === 0) return
  const { groups } = await parts.forges.of(repositoryId)
  await groups.read(repositoryId, [...new Set(names)], maxAgeMs).catch((thrown: unknown) => {
    if (!(thrown instanceof TrueupError && thrown.code === 'FORGE_UNREACHABLE')) throw thrown
  })
}

/** Teams here and groups there that an account is in, as rules name them. */
export async function groupsOfUser(db: Queries, repositoryId: string, userId: string): Promise<string[]> {
  const teams = (await teamsOfUser(db, userId)).map((team) => team.name)
  return [...teams, ...(await forgeGroupsOf(db, repositoryId, userId))]
}

/** Approvers, with what is known to be wrong with those of the forge. */
export async function toldOf(db: Queries, repositoryId: string, from: readonly Approver[]): Promise<Approver[]> {
  if (!from.some(({ kind, name }) => isOfForge(`${kind}:${name}`))) return [...from]
  const known = await forgeGroups(db, repositoryId)
  return from.map((one) => {
    const why = known[`${one.kind}:${one.name}`]?.why
    return why ? { ...one, why } : one
  })
}
