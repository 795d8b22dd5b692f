import type { SignaturesConfig } from '../../domain/signatures/config.ts'
import type { Lacking, SignatureFacts } from '../../domain/signatures/facts.ts'
import { judgeSignature, type Verdict } from '../../domain/signatures/verdict.ts'
import type { Commit, GitRepository } from '../../git/repository.ts'
import type { MergeRequest } from '../../store/changes/merge-requests.ts'
import { type EngineParts, repositoryOf } from '../parts.ts'
import { isRollback } from '../rolled-back/judge.ts'
import type { Snapshot } from '../snapshot/snapshot.ts'
import type { Keyring } from '../keyrings/keyring.ts'

/** Commits that are looked at; more count as lacking, not as signed. */
export const MAX_COMMITS = 2_000

export interface JudgeCommit {
  keyring: Keyring
  git: GitRepository
  /** The server's own key counts: a merge, or a rollback that the server has written. */
  byForge: boolean
  knownAt: number
}

/** Whether one commit counts as signed. */
export async function judgeCommit(commit: Commit, { keyring, git, byForge, knownAt }: JudgeCommit): Promise<Verdict> {
  const found = await keyring.signature(git, commit.oid)
  const signers = byForge && keyring.forge ? [...keyring.signers, keyring.forge] : keyring.signers
  return judgeSignature(found, signers, { committedAt: commit.committer.at, knownAt })
}

export interface JudgedCommits {
  commits: number
  signers: string[]
  lacking: Lacking[]
}

/** Judges commits, each by itself; those of `accept` count. */
export async function judgeCommits(
  commits: readonly Commit[],
  accept: ReadonlySet<string>,
  how: JudgeCommit,
): Promise<JudgedCommits> {
  const signers = new Set<string>()
  const lacking: Lacking[] = []
  for (const commit of commits.slice(0, MAX_COMMITS)) {
    if (accept.has(commit.oid)) continue
    const verdict = await judgeCommit(commit, how)
    if (verdict.accepted) signers.add(verdict.signer!)
    else lacking.push({ commit: commit.oid, code: verdict.code!, why: verdict.why })
  }
  if (commits.length > MAX_COMMITS)
    lacking.push({ commit: commits[0]!.oid, code: 'TOO_LARGE', why: `it comes with more than ${MAX_COMMITS} commits` })
  return { commits: commits.length, signers: [...signers].sort(), lacking }
}

/** What each environment of the target branch asks of the commits of an MR. Nothing is read where none asks. */
export async function signatureFacts(
  parts: EngineParts,
  mr: MergeRequest,
  target: Snapshot,
): Promise<SignatureFacts[]> {
  const asking = askingIn(target)
  if (asking.length === 0) return []
  const git = repositoryOf(parts, mr.repositoryId)
  const commits = await git.log({ from: mr.targetOid, to: mr.headOid, limit: MAX_COMMITS + 1 })
  const keyring = await parts.keyrings.of(parts.store.db, target.config?.signers ?? [])
  const knownAt = mr.mergedAt ?? parts.store.clock.now()
  const how = { keyring, git, byForge: isRollback(mr), knownAt }
  const gated = (await parts.forges.of(mr.repositoryId)).gated
  const facts: SignatureFacts[] = []
  for (const [environment, { require, accept }] of asking) {
    const judged = require.includes('commits')
      ? await judgeCommits(commits, new Set(accept), how)
      : { commits: commits.length, signers: [], lacking: [] }
    const mergeSigner = gated && keyring.forge ? `this server (${keyring.forge.key})` : null
    facts.push({ environment, require, ...judged, mergeSigner })
  }
  return facts
}

/** The environments of a snapshot that ask for signatures. */
export const askingIn = ({ config }: Snapshot): [environment: string, SignaturesConfig][] =>
  Object.entries(config?.environments ?? {}).flatMap(([name, { signatures }]) =>
    signatures ? [[name, signatures] as [string, SignaturesConfig]] : [],
  )
