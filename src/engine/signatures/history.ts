import type { Lacking } from '../../domain/signatures/facts.ts'
import { lackingText } from '../../domain/signatures/facts.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import type { Queries } from '../../store/database/context.ts'
import { getMeta, setMeta } from '../../store/database/meta.ts'
import { listMergeRequests } from '../../store/changes/merge-requests.ts'
import type { Commit } from '../../git/repository.ts'
import { type EngineParts, repositoryOf } from '../parts.ts'
import { snapshotOf } from '../revisions/branch.ts'
import { isRollback } from '../rolled-back/judge.ts'
import type { Snapshot } from '../snapshot/snapshot.ts'
import { askingIn, judgeCommit, judgeCommits, MAX_COMMITS } from './judge.ts'

/**
 * Environment → the last commit of the default branch that was signed as it asks, where a later one was not. By the rules
 * that stood there everything after it is judged, until all of it is signed or accepted: what nobody has signed does
 * not come in with the next commit that somebody has.
 */
export type SignedUpTo = { readonly [environment: string]: string }

const key = (repositoryId: string): string => `deploy.signed:${repositoryId}`

export async function signedUpTo(db: Queries, repositoryId: string): Promise<SignedUpTo> {
  const text = await getMeta(db, key(repositoryId))
  return text === null ? {} : (JSON.parse(text) as SignedUpTo)
}

export async function setSignedUpTo(tx: Queries, repositoryId: string, upTo: SignedUpTo): Promise<void> {
  if (Object.keys(upTo).length > 0 || (await getMeta(tx, key(repositoryId))) !== null)
    await setMeta(tx, key(repositoryId), JSON.stringify(upTo))
}

interface Landed {
  repositoryId: string
  commitOid: string
  /** The usable commit before it; null where there is none, and then nothing is asked for. */
  previous: string | null
  before: Snapshot
}

/** What is signed after this commit of the default branch is enacted; the environments in it are those that refuse it. */
export async function judgeLanded(parts: EngineParts, landed: Landed): Promise<SignedUpTo> {
  const { repositoryId, commitOid, previous, before } = landed
  const known = await signedUpTo(parts.store.db, repositoryId)
  const asked = new Set([...Object.keys(known), ...askingIn(before).map(([name]) => name)])
  const after: { [environment: string]: string } = {}
  for (const environment of asked) {
    const from = known[environment] ?? previous
    if (from === null) continue
    const lacking = await lackingBetween(parts, { repositoryId, environment, from, to: commitOid })
    if (lacking.length > 0) after[environment] = from
  }
  return after
}

/** @throws the code of what is lacking, with the commit, where a commit is not signed as an environment asks. */
export async function assertSignedHistory(
  parts: EngineParts,
  { repositoryId, environment, commitOid }: { repositoryId: string; environment: string; commitOid: string },
): Promise<void> {
  const from = (await signedUpTo(parts.store.db, repositoryId))[environment]
  if (from === undefined) return
  const lacking = await lackingBetween(parts, { repositoryId, environment, from, to: commitOid })
  const [first] = lacking
  if (!first) return
  const more = lacking.length > 1 ? ` (and ${lacking.length - 1} more)` : ''
  throw new TrueupError(first.code, {
    doing: `deploying commit ${commitOid.slice(0, 10)} in ${environment}, which asks for signatures`,
    why: `${lackingText(first)}${more}`,
    next: `\`trueup verify ${first.commit.slice(0, 10)}\` explains. A signed change that names the commit under \`signatures: accept\` lets it through.`,
  })
}

interface Range {
  repositoryId: string
  environment: string
  /** Its rules and signers judge what comes after it. */
  from: string
  to: string
}

/** Commit by commit of the branch: what came by a merge request are the commits of that, also where it was squashed. */
async function lackingBetween(parts: EngineParts, { repositoryId, environment, from, to }: Range): Promise<Lacking[]> {
  const git = repositoryOf(parts, repositoryId)
  const { config } = await snapshotOf(parts, repositoryId, from)
  const rules = config?.environments[environment]?.signatures
  if (!rules) return []
  const keyring = await parts.keyrings.of(parts.store.db, config?.signers ?? [])
  const accept = new Set(rules.accept)
  const steps = await git.log({ from, to, limit: MAX_COMMITS + 1, firstParent: true })
  const lacking: Lacking[] = []
  let parent = from
  for (const step of steps.slice(0, MAX_COMMITS).reverse()) {
    const own = await lackingOf(step, parent)
    lacking.push(...own)
    parent = step.oid
    // What a signed commit accepts is accepted by whoever signed it.
    if (own.some(({ commit }) => !accept.has(commit))) continue
    const says = await snapshotOf(parts, repositoryId, step.oid)
    for (const oid of says.config?.environments[environment]?.signatures?.accept ?? []) accept.add(oid)
  }
  if (steps.length > MAX_COMMITS)
    lacking.push({ commit: to, code: 'TOO_LARGE', why: `more than ${MAX_COMMITS} commits lie behind it` })
  return lacking.filter(({ commit }) => !accept.has(commit))

  async function lackingOf(step: Commit, before: string): Promise<Lacking[]> {
    const filter = { repositoryId, mergeOid: step.oid, states: ['merging', 'merged'] as const }
    const [mr] = (await listMergeRequests(parts.store.db, filter, { limit: 1 })).items
    const knownAt = mr?.mergedAt ?? parts.store.clock.now()
    const found: Lacking[] = []
    if (rules!.require.includes('commits')) {
      const brought = await git.log({ from: before, to: mr?.headOid ?? step.oid, limit: MAX_COMMITS + 1 })
      const isMerge = step.parents.length > 1
      const commits = isMerge ? brought.filter(({ oid }) => oid !== step.oid) : brought
      const byForge = mr !== undefined && isRollback(mr)
      found.push(...(await judgeCommits(commits, accept, { keyring, git, byForge, knownAt })).lacking)
    }
    if (
      rules!.require.includes('merges') &&
      !accept.has(step.oid) &&
      !found.some(({ commit }) => commit === step.oid)
    ) {
      const { accepted, code, why } = await judgeCommit(step, { keyring, git, byForge: true, knownAt })
      if (!accepted) found.push({ commit: step.oid, code: code!, why })
    }
    return found
  }
}
