import type { EngineHarness, Files } from '../../src/engine/testing/harness.ts'
import type { MergeMethod } from '../../src/forges/capabilities.ts'
import type { Forge, MrEdit } from '../../src/forges/forge.ts'
import type { MergeRequest } from '../../src/store/changes/merge-requests.ts'

export type PersonName = 'author' | 'reviewer' | 'second'

/** What a person does on the forge, beside Trueup. Numbers are those of the forge. */
export interface Person {
  open(change: { sourceBranch: string; title: string; description?: string; draft?: boolean }): Promise<number>
  edit(number: number, edit: MrEdit): Promise<void>
  close(number: number): Promise<void>
  reopen(number: number): Promise<void>
  review(number: number, verdict: 'approve' | 'request_changes' | 'comment', body: string): Promise<void>
  withdraw(number: number): Promise<void>
  comment(number: number, body: string): Promise<void>
}

/** A forge with one repository of which the engine knows, and which has a commit on `main` that protects nothing. */
export interface ForgeWorld {
  readonly harness: EngineHarness
  readonly forge: Forge
  as(person: PersonName): Person
  /** Commits files on a branch of the forge, as a push by the author; made from `main` where there is none. Gives the commit. */
  push(branch: string, files: Files): Promise<string>
  removeBranch(branch: string): Promise<void>
  /** Where a branch of the forge stands. */
  tip(branch: string): Promise<string | null>
  /** Returns when the engine knows what has happened on the forge. */
  look(): Promise<void>
  /** Comments on the forge's merge request, oldest first. */
  comments(mr: MergeRequest): Promise<{ body: string; byTrueup: boolean }[]>
  /** States that the forge has of a commit, by name. */
  statuses(oid: string): Promise<{ name: string; state: string; description: string }[]>
  /** What the forge shows as deployed of a commit, oldest first, in its own words. */
  deployments(oid: string): Promise<{ environment: string; state: string }[]>
  /** The forge merges what Trueup has begun to merge, and the answer is lost. */
  mergeUnheard(mr: MergeRequest, method: MergeMethod): Promise<void>
  /** As long as people take to read, of a forge that counts whole seconds. */
  moment(): Promise<void>
  /** The forge's setting lets merge by this method; absent where all are allowed at once. `null`: as it was. */
  allowMethod?(method: MergeMethod | null): Promise<void>
  /** What only a forge elsewhere has; absent where the forge says that it cannot. */
  readonly elsewhere?: Elsewhere
}

export interface Elsewhere {
  /** The repository gets another name. */
  rename(name: string): Promise<void>
  /** What somebody does who has no part in the repository, with a fork of their own. */
  outsider: {
    push(branch: string, files: Files): Promise<string>
    open(branch: string, title: string): Promise<number>
    comment(number: number, body: string): Promise<void>
  }
  /** Trueup's account may write no more, or may again. */
  allow(write: boolean): Promise<void>
  /** Why the last look did not go well, with its code; null where it did. */
  problem(): Promise<string | null>
}

/** One forge under the suite. */
export interface Subject {
  name: Forge['name']
  /** What the table says it ran against: `this server`; `a double of Gitea 1.22`. */
  against: string
  open(): Promise<ForgeWorld>
  close(): Promise<void>
}
