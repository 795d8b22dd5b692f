import type { Verdict } from '../../domain/signatures/verdict.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import { listMergeRequests } from '../../store/changes/merge-requests.ts'
import { type EngineParts, repositoryOf } from '../parts.ts'
import { rulesSnapshot } from '../revisions/readable.ts'
import { isRollback } from '../rolled-back/judge.ts'
import { askingIn, judgeCommit } from './judge.ts'

/** What is known of a commit's signature, and what each environment makes of it. */
export interface ExplainedCommit {
  commit: string
  committedAt: number
  /** It stands on a target branch itself, by a merge request. */
  merge: boolean
  /** What Git says of it, whatever the times of keys. */
  signature: 'none' | 'good' | 'bad' | 'unknown' | 'expired' | 'revoked'
  format: 'ssh' | 'gpg' | null
  key: string | null
  environments: ExplainedEnvironment[]
}

export interface ExplainedEnvironment extends Verdict {
  name: string
  require: ('commits' | 'merges')[]
  /** It asks for a signature of commits of this kind. */
  asked: boolean
}

/** Says of a commit, by the rules of the default branch that count now, who signed it and whether that does. NOT_FOUND. */
export async function explainCommit(parts: EngineParts, repositoryId: string, name: string): Promise<ExplainedCommit> {
  const git = repositoryOf(parts, repositoryId)
  const oid = await git.resolve(name)
  if (oid === null)
    throw new TrueupError('NOT_FOUND', { doing: `verifying commit "${name}"`, why: 'the server has no such commit' })
  const commit = await git.commit(oid)
  const snapshot = await rulesSnapshot(parts, repositoryId)
  const keyring = await parts.keyrings.of(parts.store.db, snapshot?.config?.signers ?? [])
  const { db, clock } = parts.store
  const [merged] = (await listMergeRequests(db, { repositoryId, mergeOid: oid }, { limit: 1 })).items
  const [of] = merged ? [merged] : (await listMergeRequests(db, { repositoryId, headOid: oid }, { limit: 1 })).items
  const knownAt = of?.mergedAt ?? clock.now()
  const byForge = merged !== undefined || (of !== undefined && isRollback(of))
  const found = await keyring.signature(git, oid)
  const environments: ExplainedEnvironment[] = []
  for (const [environment, { require, accept }] of snapshot ? askingIn(snapshot) : []) {
    const judged = await judgeCommit(commit, { keyring, git, byForge, knownAt })
    const isNamed = accept?.includes(oid) ?? false
    const verdict = isNamed
      ? { ...judged, accepted: true, code: null, why: `${environment} accepts it by name` }
      : judged
    environments.push({
      name: environment,
      require,
      asked: require.includes(merged ? 'merges' : 'commits'),
      ...verdict,
    })
  }
  return {
    commit: oid,
    committedAt: commit.committer.at,
    merge: merged !== undefined,
    signature: found.status,
    format: found.status === 'none' ? null : found.format,
    key: found.status === 'none' ? null : found.key,
    environments,
  }
}
