import type { CommitSignature } from '../domain/signatures/signature.ts'
import type { ObjectReader } from './objects.ts'

/** Six octal digits as Git prints them: `100644`, `100755`, `120000` (symlink), `160000` (submodule), `040000`. */
export type FileMode = string

export interface Person {
  name: string
  email: string
  /** Milliseconds since the epoch; Git keeps whole seconds. */
  at: number
}

export interface Commit {
  oid: string
  tree: string
  parents: string[]
  author: Person
  committer: Person
  /** Whole message, subject first. */
  message: string
}

export interface TreeEntry {
  /** One path component; see `paths.ts` for names that are not UTF-8. */
  name: string
  mode: FileMode
  type: 'blob' | 'tree' | 'commit'
  oid: string
}

/** What one path of a tree names. `commit` is a submodule. */
export interface PathEntry {
  oid: string
  mode: FileMode
  type: 'blob' | 'tree' | 'commit'
}

export interface FileEntry {
  /** From the root of the repository, whatever directory was listed. */
  path: string
  mode: FileMode
  oid: string
  /** Bytes; only where `sizes` was asked for, and never for submodules. */
  size?: number
}

/** One path that differs between two trees; null where a side does not have it. Directories are listed as well as files. */
export interface TreeChange {
  path: string
  old: PathEntry | null
  new: PathEntry | null
}

export type MergeResult = { clean: true; tree: string } | { clean: false; conflicts: string[] }

export type FileStatus = 'added' | 'deleted' | 'modified' | 'renamed' | 'copied' | 'type-changed'

export interface FileDiff {
  /** Path on the new side (on the old side for a deleted file). */
  path: string
  /** Path on the old side; differs from `path` only for `renamed` and `copied`. */
  oldPath: string
  status: FileStatus
  oldMode: FileMode | null
  newMode: FileMode | null
  oldOid: string | null
  newOid: string | null
  binary: boolean
  /** Lines; 0 for binary files. */
  additions: number
  deletions: number
  /** Unified hunks from the first `@@` on; empty for binary files and pure renames. */
  hunks: string
  /** Part or all of the hunks is left out because a limit was reached. */
  truncated: boolean
}

export interface DiffOptions {
  /** Only these files and directories; no patterns. */
  paths?: string[]
  /** Bytes of hunks kept per file. Default 256 KiB. */
  maxBytesPerFile?: number
  /** Files that get hunks; the others are listed with `truncated`. Default 1,000. */
  maxFiles?: number
}

export interface LogOptions {
  /** Commits reachable from this one are left out. */
  from?: string
  to: string
  /** Default 100. */
  limit?: number
  /** Follow only the first parent: one entry per merge. */
  firstParent?: boolean
}

export interface CommitTree {
  tree: string
  parents: string[]
  message: string
  author: Person
  /** Default: the author. */
  committer?: Person
  /** File of an SSH private key that signs the commit; no signature where absent. */
  signingKey?: string
}

/** Who may sign commits, all by files and directories of this machine (absolute paths). */
export interface Signers {
  /** `allowed_signers` of ssh-keygen(1). */
  ssh?: string
  /** Revoked SSH keys: public keys, one a line, or a key revocation list. */
  sshRevoked?: string
  /** GnuPG's home directory with the public keys; which of them count is for the caller to say by their fingerprints. */
  gpgHome?: string
}

export interface CommitFiles {
  /** null makes a root commit. */
  parent: string | null
  message: string
  author: Person
  committer?: Person
  /** Files to write; `content: null` removes the path (a whole directory too). Mode defaults to 100644. */
  files: { path: string; content: Buffer | null; mode?: '100644' | '100755' | '120000' }[]
  /**
   * Whole subtrees or files put in place by oid; `oid: null` removes the path, path `.` replaces the root. Applied
   * before `files`. `mode` is needed for a blob that is not a plain 100644 file.
   */
  trees?: { path: string; oid: string | null; mode?: FileMode }[]
}

export interface WorkspaceLimits {
  maxFiles: number
  maxBytes: number
  /** Directories below each other. */
  maxDepth: number
  /** Symlinks that lead out are told (`keptLinks`) instead of refused; they are never made. */
  keepLinks?: boolean
}

export interface Materialised {
  files: number
  bytes: number
  symlinks: number
  /** Paths of submodules, which are left as empty directories. */
  submodules: string[]
  /** Symlinks that lead out of the workspace, as path and target: told and not made. Empty unless they were asked for. */
  keptLinks: [path: string, target: string][]
}

/** The zero oid: "must not exist" in `updateRef`. */
export const NO_OID = '0'.repeat(40)

/** The tree without entries; Git knows it in every repository. */
export const EMPTY_TREE = '4b825dc642cb6eb9a060e54bf8d69288fbee4904'

/**
 * One bare repository. Oids are full hexadecimal names. `commitOrTree` is always the oid of a commit, an annotated tag
 * of one, or a tree. Paths use `/`, never start or end with it; `.` and the empty string are the root. Objects that do
 * not exist give GIT_OBJECT_MISSING, Git's own faults GIT_FAILED, limits TOO_LARGE, a dead git process UNAVAILABLE.
 */
export interface GitRepository {
  readonly id: string
  /** Absolute path of the bare repository. */
  readonly directory: string
  /** Batched reads by oid; concurrent calls share one round trip. */
  readonly objects: ObjectReader

  /** Makes the empty repository; does nothing where it exists already. A kill midway leaves nothing behind. */
  init(defaultBranch: string): Promise<void>
  exists(): Promise<boolean>
  /** Removes the repository with everything in it. */
  remove(): Promise<void>
  /** Short name of the branch that HEAD points to, whether or not that branch exists yet. */
  defaultBranch(): Promise<string>
  setDefaultBranch(name: string): Promise<void>

  /** Full ref name → oid (of the tag object for annotated tags), optionally only those below `prefix` (`refs/heads/`). */
  refs(prefix?: string): Promise<Map<string, string>>
  /** Commit oid of a branch, tag, full ref name, oid or abbreviated oid, with `~N`/`^N`; null when there is none. */
  resolve(revision: string): Promise<string | null>
  /**
   * Compare-and-swap of a full ref name: true when it stood at `oldOid` (NO_OID: did not exist) and now stands at
   * `newOid`, durably. False when it stood elsewhere.
   */
  updateRef(name: string, newOid: string, oldOid: string): Promise<boolean>
  /** Removes a ref if it stands at `oldOid` (wherever it stands, when absent). False when it stood elsewhere or did not exist. */
  deleteRef(name: string, oldOid?: string): Promise<boolean>

  commit(oid: string): Promise<Commit>
  /** Trees by oid, each with its entries in Git's order. Commits are accepted and give their tree. */
  readTrees(oids: readonly string[]): Promise<Map<string, readonly TreeEntry[]>>
  /**
   * Bytes of a regular file; null where there is none at that path (also for directories, symlinks and submodules,
   * which are never followed). TOO_LARGE above `maxBytes` (default 16 MiB).
   */
  readFile(commitOrTree: string, path: string, maxBytes?: number): Promise<Buffer | null>
  /** The same by the oid of the file's content; `path` names it in errors. */
  readBlob(oid: string, path: string, maxBytes?: number): Promise<Buffer>
  /** Files, symlinks and submodules below a directory; empty where the directory does not exist. */
  listFiles(commitOrTree: string, directory?: string, options?: { sizes?: boolean }): Promise<FileEntry[]>
  /** Every directory except the root, sorted. */
  listDirectories(commitOrTree: string): Promise<string[]>
  /** What each path names, null where nothing. Reads only the trees on the way. */
  pathOids(commitOrTree: string, paths: readonly string[]): Promise<Map<string, PathEntry | null>>
  /** Paths of files, symlinks and submodules that differ; reads only trees that differ. */
  changedPaths(base: string, head: string): Promise<string[]>
  /**
   * Everything that differs between two trees (no commits), directories too, each before what is in it. A single round
   * trip, however deep the changes are. Null when they are more than some 50,000.
   */
  treeChanges(oldTree: string, newTree: string): Promise<TreeChange[] | null>

  /** Best common ancestor, null for unrelated histories. */
  mergeBase(a: string, b: string): Promise<string | null>
  /** Whether `a` is reachable from `b` (a commit is its own ancestor). */
  isAncestor(a: string, b: string): Promise<boolean>
  /** Newest first. */
  log(options: LogOptions): Promise<Commit[]>
  /** Commits reachable from `to` that changed a path, newest first. */
  commitsTouching(path: string, options: { to: string; limit?: number; firstParent?: boolean }): Promise<Commit[]>
  diff(base: string, head: string, options?: DiffOptions): Promise<FileDiff[]>

  /** The tree of merging `head` into `target`, or the paths in conflict. MR_CONFLICT for unrelated histories. */
  mergeTree(target: string, head: string): Promise<MergeResult>
  /** Oid of a new commit object; moves no ref. */
  commitTree(options: CommitTree): Promise<string>
  /** Oid of a new commit with files changed against its parent, made without a working copy; moves no ref. */
  commitFiles(options: CommitFiles): Promise<string>

  /** Writes paths into a new directory, see `materialise.ts`. */
  materialise(
    commit: string,
    paths: readonly string[],
    directory: string,
    limits?: Partial<WorkspaceLimits>,
  ): Promise<Materialised>
  /**
   * Writes a pack of its own to `file`: the commit, and of its tree the way to each path with everything below it. Paths
   * that the tree does not have bring the trees in which they are missing. `more`: further objects. `base`: what whoever gets it has
   * already is not in it, and what is in it may be told as a difference to that.
   */
  packTree(
    commit: string,
    paths: readonly string[],
    file: string,
    parts?: { more?: readonly string[]; base?: { commit: string; paths: readonly string[] } },
  ): Promise<void>
  /** A pack of exactly these objects. */
  packObjects(oids: readonly string[]): Promise<Buffer>
  /**
   * Takes in a pack that nobody vouches for: every object is named by its content and checked for its form. Answers with
   * the pack's name, for `dropPack`. PACK_INVALID where Git refuses it.
   */
  receivePack(pack: Buffer): Promise<string>
  /** Names of all packs. */
  packs(): Promise<string[]>
  /** Removes a pack that `receivePack` took in. */
  dropPack(name: string): Promise<void>
  /**
   * Asks Git about a commit's signature. `asOf: 'now'`: the key has to be valid at this moment too, and not only when the
   * commit says that it was made.
   */
  signature(commit: string, signers: Signers, asOf: 'now' | 'commit'): Promise<CommitSignature>
  /** Values of the trailers of this name in a commit's message, in their order. */
  trailers(commit: string, name: string): Promise<string[]>
  /** Where a branch of another repository stands; null where it has no such branch. REMOTE_UNREACHABLE with what git said. */
  remoteHead(at: RemoteBranch, signal?: AbortSignal): Promise<string | null>
  /** Fetches a branch of another repository into a ref, wherever that stood before. REMOTE_UNREACHABLE with what git said. */
  fetchRemote(at: RemoteBranch, into: string, signal?: AbortSignal): Promise<void>
  /** Brings all branches to where those of another repository stand, forced and pruned. REMOTE_UNREACHABLE with what git said. */
  fetchBranches(from: RemoteRepository, signal?: AbortSignal, except?: string): Promise<void>
  /** Brings one ref of another repository here, whatever stood there. */
  fetchRef(from: RemoteRepository, ref: string, into: string): Promise<void>
  /**
   * Moves a branch of another repository from `oldOid` (NO_OID: did not exist) to a commit that is here. False where it
   * stood elsewhere. REMOTE_UNREACHABLE with what git said, also where it is refused there.
   */
  pushBranch(to: RemoteRepository & { branch: string }, newOid: string, oldOid: string): Promise<boolean>
  /** Packs refs and objects where there is enough to gain, gently and without losing any; whether it did. See `maintain.ts`. */
  maintain(signal?: AbortSignal): Promise<boolean>
}

/** A branch of a repository elsewhere. */
export interface RemoteBranch {
  /** Anything that git itself can fetch from: https, ssh, file. */
  url: string
  branch: string
  /** A file with settings of git for this connection (credentials, CAs, the ssh command): its global configuration. */
  config: string
}

/** A repository elsewhere and what opens it. The password is told to this address only, and stands in no file and no command line. */
export interface RemoteRepository {
  /** `https://host/path.git`; redirects are not followed. */
  url: string
  username: string
  password: string
}

export interface GitRunOptions {
  /** Repository the command works in (GIT_DIR); none where absent. */
  repository?: string
  /** Added to the closed environment. */
  env?: { [name: string]: string }
  input?: Buffer | string
  /** Milliseconds. Default 60,000. TIMED_OUT beyond. */
  timeoutMs?: number
  /** Bytes of standard output. Default 16 MiB. TOO_LARGE beyond. */
  maxOutputBytes?: number
  /** Repeat the command when the git child process dies meanwhile; only for commands that change nothing. */
  readOnly?: boolean
  /** With the lowest priority that there is. */
  background?: boolean
  signal?: AbortSignal
}

export interface GitRunResult {
  exitCode: number
  stdout: Buffer
  /** At most 64 KiB. */
  stderr: string
}

/** What a smart-HTTP request may do; kept in the git child process and named by a one-time ticket. */
export interface HttpAdmission {
  repository: string
  user: { id: string; name: string }
  /** Absolute path that `post-receive` writes; in a directory that exists. */
  pushFile: string
  /** Full ref names that nobody pushes to. */
  protectedRefs: string[]
  /** Full name of the default branch. */
  defaultRef: string
  /** Allows this push to make the default branch. */
  allowBootstrap: boolean
  /** Source branches (without refs/heads/) of open merge requests: `post-receive` names those that a push updates. */
  openMergeRequests: { branch: string; number: number }[]
  maxPushBytes: number
  timeoutMs: number
}

/** Everything the server does with Git, done by a small process of its own. */
export interface GitService {
  repository(id: string): GitRepository
  /** Runs one git command (argv without `git`) in the child process. A non-zero exit code is a result, not an error. */
  run(argv: readonly string[], options?: GitRunOptions): Promise<GitRunResult>
  readonly http: {
    /** Unix socket on which the child serves smart HTTP; changes when the child is restarted. */
    readonly socketPath: string
    /** A ticket for one request, sent as `x-trueup-ticket`. */
    admit(admission: HttpAdmission): Promise<string>
  }
  close(): Promise<void>
}
