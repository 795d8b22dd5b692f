import type { ErrorBody } from '../lib/errors/error.ts'
import type { GitObject, ObjectInfo } from './objects.ts'
import type { GitRunOptions, GitRunResult, HttpAdmission, Materialised, WorkspaceLimits } from './repository.ts'

/** What the server asks of the git child process. `repeat`: changes nothing, so it may be asked again after a crash. */
export interface Operations {
  read: { input: { repository: string; names: readonly string[]; maxBytes: number }; output: GitObject[] }
  info: { input: { repository: string; names: readonly string[] }; output: (ObjectInfo | null)[] }
  run: { input: { argv: readonly string[]; options: Omit<GitRunOptions, 'signal' | 'readOnly'> }; output: GitRunResult }
  patches: { input: PatchRequest; output: PatchSection[] }
  /** Raw records of `git diff-tree -r -t -z`; null when they are more than `maxBytes`. */
  compareTrees: {
    input: { repository: string; oldTree: string; newTree: string; maxBytes: number }
    output: Buffer | null
  }
  updateRef: { input: RefUpdate; output: boolean }
  materialise: { input: MaterialiseRequest; output: Materialised }
  admit: { input: HttpAdmission; output: string }
  /** Closes what is held open of a repository that is about to be removed. */
  release: { input: { repository: string }; output: null }
  /** Removes what killed git processes left behind: lock files and incoming objects older than `minAgeMs`. */
  sweep: { input: { repository: string; minAgeMs: number }; output: { removed: string[] } }
}

export interface PatchRequest {
  repository: string
  argv: readonly string[]
  maxBytesPerFile: number
  maxFiles: number
  maxBytes: number
  timeoutMs: number
}

/** The text of one `diff --git` section. */
export interface PatchSection {
  text: Buffer
  truncated: boolean
}

export interface RefUpdate {
  repository: string
  name: string
  /** null removes the ref. */
  newOid: string | null
  /** null: wherever it stands (removal only). */
  oldOid: string | null
}

export interface MaterialiseRequest {
  repository: string
  commit: string
  paths: readonly string[]
  directory: string
  limits: WorkspaceLimits
}

export type Operation = keyof Operations

export type ToChild =
  | { id: number; operation: Operation; input: Operations[Operation]['input'] }
  | { cancel: number }
  /** Nobody asks for anything: end, a later call starts another process. */
  | { rest: true }

export type FromChild =
  | { ready: true }
  | { failed: ErrorBody }
  /** A process group that the parent ends if the child dies before it says `ended`. */
  | { started: number }
  | { ended: number }
  | { id: number; output: unknown }
  | { id: number; error: ErrorBody }
  | { log: { level: 'info' | 'warn' | 'error'; fields: object; message: string } }

export interface ChildSettings {
  root: string
  hooksPath: string
  socketPath: string
}
