import type { ZodType } from 'zod'
import type { Deed } from '../domain/origins/deeds.ts'
import type { ApplyResult, DriverPlan, Finding } from '../domain/plans/plan.ts'
import type { RequestPart, RunRequest } from '../domain/runs/run-request.ts'
import type { RunKind } from '../domain/runs/run.ts'
import type { Place } from '../domain/plans/place.ts'
import type { Phase, ResolvedInput } from '../domain/stacks/stack.ts'
import type { IgnoreRule } from '../domain/plans/ignore-rule.ts'
import type { Json } from '../lib/json.ts'
import type { ProcessResult, ProcessSpec } from '../lib/process/supervise.ts'
import type { Detected } from './proposal.ts'

/** What a driver can do beyond plan and apply. The defaults (all false) are the safe answers. */
export interface Capabilities {
  /** Can remove everything a stack made. */
  destroy: boolean
  /** Reports live events, so that drift is found in milliseconds and not at the next interval. */
  watch: boolean
  /** Can turn live values into file patches. */
  codify: boolean
  /**
   * Applying twice, or after a kill in the middle, gives the same end. Where false, a run whose worker was lost while
   * applying is planned afresh and waits for a person unless nothing is left to do.
   */
  idempotentApply: boolean
  /**
   * `plan` finds and reports everything that `validate` does. A preview then validates only after a plan that failed, to say
   * better what is wrong.
   */
  planValidates: boolean
}

export const NO_CAPABILITIES: Capabilities = {
  destroy: false,
  watch: false,
  codify: false,
  idempotentApply: false,
  planValidates: false,
}

/** Reads one file of the repository at the commit in question, or null. Paths are relative to the repository's root. */
export interface ReadFile {
  (path: string): Promise<Buffer | null>
  /**
   * Git's blob id of the file, or null, without reading it; absent where nobody knows ids (a working copy). Equal ids are
   * equal contents: what a driver finds in a file may be remembered by its id.
   */
  idOf?(path: string): Promise<string | null>
}
/** Lists the files below a directory of the repository (recursive, relative to the root); empty where there is none. */
export type ListFiles = (directory: string) => Promise<string[]>

/** Credentials of Trueup's own Terraform HTTP state backend, valid for this run only. */
export interface StateBackend {
  address: string
  username: string
  password: string
}

export interface DriverContext<Config> {
  stack: { id: string; repository: string; environment: string; name: string; path: string }
  config: Config
  /** The stack is to be removed: plan and apply its destruction. */
  destroy: boolean
  phase: Phase
  /** What the run is for; absent outside of runs (a watch, a local plan). */
  kind?: RunKind
  /** The change takes another one back: preview and deployment of a rollback's merge request. */
  rollback?: boolean
  /** What a person asks for instead of the whole; only of drivers whose `requests` name it. */
  request?: RunRequest
  /** Absolute root of the materialised, private copy of the repository's needed directories. */
  workspace: string
  /** Absolute directory of the stack inside it. */
  directory: string
  /**
   * Git's blob id of each materialised file by its path from the repository's root, where the worker knows them: they save
   * a driver from hashing what it was given. Files whose content is not the blob's (filters) must not be in it.
   */
  blobs?: ReadonlyMap<string, string>
  /**
   * Symlinks that lead out of the workspace, by path from the repository's root, with their targets: they do not stand in
   * it. Only for stacks whose settings say `links: keep`.
   */
  keptLinks?: ReadonlyMap<string, string>
  /** Private directory of this run (0700), removed after it. Shared by plan and apply of one lease. */
  scratch: string
  /** Directory of this stack on this worker that survives runs; contents are a cache and may vanish. */
  cache: string
  /** The whole environment that tools get (PATH, HOME=scratch, variables of this phase). */
  env: { [name: string]: string }
  inputs: { [name: string]: ResolvedInput }
  /**
   * Previews: stacks that this one needs and that are not deployed yet as the merge request has them. What is missing in the
   * target may come with them: it is not checked, rather than wrong.
   */
  awaits?: readonly string[]
  /**
   * Fetches the stack's files as they are deployed, where that is another commit, and gives the root that they were written
   * below; absent where they are the same or there are none. What they hold in secret may still be on the target.
   */
  deployed?: () => Promise<string>
  /**
   * Values of secret variables as they are and were, to open what they once sealed and hide what is in it. No tool that reaches
   * the target gets them.
   */
  formerSecrets?: readonly string[]
  /** The stack asks to see the lines of texts that hold a secret; the secret itself is masked. */
  showSecretDiff?: boolean
  ignore: IgnoreRule[]
  /** Semver range that the tool must satisfy, when the stack names one. */
  toolVersion?: string
  stateBackend?: StateBackend
  /** What a run leaves on this machine is gone at the next one, its cache too: a job of a pipeline. */
  fleeting?: boolean
  /**
   * The run is over: canceled, out of time, or its lease lost (the reason is a TrueupError). Who works in this process
   * stops before the next write: seconds later another worker may have the stack.
   */
  signal: AbortSignal
  /**
   * A newer change of the stack (a fix, a rollback) waits for the end of this run. What is under way is finished; what is
   * written is not waited for any longer, and nothing further is begun: `canceled`, or a health that was `cutShort`.
   */
  replaced?: AbortSignal
  /** Keyed hash that replaces a sensitive value in everything that leaves the worker. */
  hash(value: Json): string
  /** Registers a secret so that it is masked in every later log line. */
  mask(secret: string): void
  /** One line (no newline) into the run's log. */
  log(line: string): void
  /** Seals bytes at rest with the run's own key (AES-256-GCM), and opens them again. */
  seal(plain: Buffer): Buffer
  open(sealed: Buffer): Buffer
  /** Runs a tool in its own process group under the run's signal, time-out, masking and log. */
  run(spec: ProcessSpec): Promise<ProcessResult>
}

/** What a driver found of the health of a stack. */
export interface Health {
  healthy: boolean
  /** One line for each resource that is not healthy, or one that says what is; no secrets. */
  lines: string[]
  /** Nothing has failed, but `replaced` ended the wait. */
  cutShort?: boolean
}

/** A change to one file of the repository; `content: null` removes it. `path` is relative to the repository's root. */
export interface FilePatch {
  path: string
  content: Buffer | null
  mode?: '100644' | '100755' | '120000'
}

/** A live watch; `events` of the target call `onEvent` with the addresses that may have changed. */
export interface Watch {
  close(): Promise<void>
  /** What the watch cannot see, e.g. that it polls because the kernel's limit of watches is used up. */
  findings?: readonly Finding[]
}

/** What a stack's place is told by. */
export interface PlaceSource<Config> {
  config: Config
  environment: string
  name: string
  /** The stack's directory, from the repository's root. */
  path: string
  /** Worker pool: hosts are told apart by it. */
  pool: string
  /** Resolved inputs; absent where only the configuration is known. */
  inputs?: { readonly [name: string]: ResolvedInput }
  /** Variables of the run as far as they are known: those of the configuration, or all. */
  variables: { readonly [name: string]: string }
  read: ReadFile
  list: ListFiles
}

/** A file of a change, as it comes with it. */
export interface BroughtFile {
  /** From the repository's root. */
  path: string
  /** Six octal digits of Git. */
  mode: string
  /** Empty where it is too large to be looked at. */
  content: string
}

/** Something that is executed: what people call it, and the text that makes it this one. */
export interface Executed {
  what: string
  text: string
}

/** What of a driver's source is executed on the worker or its hosts, by planning or applying it, and not just compared. */
export interface Executables {
  /** Members of `with:` that name or hold programs. */
  settings: readonly string[]
  /** What of a file is executed; what stood there before in the same text does not come with a change. */
  inFile(file: BroughtFile): Executed[]
}

export interface Driver<Config = unknown> {
  readonly name: string
  readonly capabilities: Capabilities
  /** The capabilities of one configured stack, where they depend on its `with:` block; `capabilities` where absent. */
  capabilitiesOf?(config: Config): Capabilities
  /**
   * Programs of which a worker must have one on its PATH for a stack with these settings, in the order in which they are looked
   * for; null where any worker will do. Absent: any will do.
   */
  programs?(config: Config): readonly string[] | null
  /** Whether it takes symlinks that lead out of the repository, in `context.keptLinks`. Absent: they are refused. */
  keepsLinks?(config: Config): boolean
  /**
   * All that planning does with what the code says happens in tools that it starts by `context.run`; the worker's own process
   * reads nothing but the workspace and connects to nothing. Where absent, code that nobody vouches for is not planned.
   */
  readonly contained?: boolean
  /** What of its source is executed. Absent: nothing is. */
  readonly executables?: Executables
  /** Its tools speak to the state backend (`stateBackend`), from a sandbox too. */
  readonly keepsState?: boolean
  /** What people may ask of a single run; nothing where absent. */
  readonly requests?: readonly RequestPart[]
  /** Schema of the stack's `with:` block. Parsed once on the server (errors reach the MR) and again on the worker. */
  readonly config: ZodType<Config>
  /** For `trueup init`: proposals of stacks that this driver would manage, from all file paths of a repository. */
  detect(files: readonly string[], read: ReadFile): Promise<Detected>
  /** Paths (directories or files, relative to the root) outside the stack's own directory that it is built from. */
  dependencies(read: ReadFile, list: ListFiles, path: string, config: Config): Promise<string[]>
  /**
   * Of these files, whose contents have changed while no file came or went, those that may change what `dependencies`
   * gives for some stack. Absent, each of them may. A module has hundreds of users that are not read again for nothing.
   */
  dependencyChanges?(before: ReadFile, after: ReadFile, changed: readonly string[]): Promise<string[]>
  /**
   * The place that a stack manages alone: a second stack with it is refused, across the repositories of a server. Null where
   * what is known does not tell, and for what stacks may share (two playbooks of one host). Told by the configuration, the
   * files of the commit and the values given; never by looking at the target. No secrets in it.
   */
  place?(source: PlaceSource<Config>): Promise<Place | null>
  /** Tool versions; a missing or unfit tool is TOOL_MISSING / TOOL_VERSION with the install hint. */
  versions(context: DriverContext<Config>): Promise<{ [tool: string]: string }>
  /** Checks the source without credentials and without reaching the target. */
  validate(context: DriverContext<Config>): Promise<Finding[]>
  /** Reads live state and says what apply would do. Changes nothing. */
  plan(context: DriverContext<Config>): Promise<DriverPlan>
  /**
   * Does exactly what the preceding `plan` of the same run said; `scratch` is the same, variables may be others. Throws
   * only while nothing was changed (PLAN_STALE, STATE_LOCKED, CANCELED): the stack then counts as untouched. Everything
   * from the first write on is a result, `failed` or `canceled`, that names what was done.
   */
  apply(context: DriverContext<Config>, plan: DriverPlan): Promise<ApplyResult>
  /**
   * After an apply that succeeded: waits until what was applied works (a roll-out is over), or cannot any more. Its lines
   * stand beside the verdicts of the stack's `verify:` commands; not healthy fails the run as VERIFY_FAILED.
   */
  health?(context: DriverContext<Config>): Promise<Health>
  watch?(context: DriverContext<Config>, onEvent: (addresses: string[]) => void): Promise<Watch>
  codify?(context: DriverContext<Config>, plan: DriverPlan): Promise<FilePatch[]>
  /**
   * Source that takes back what a rolled-back change imported, moved or let go of, where going back to the earlier source
   * alone would destroy or duplicate it. Absent, or where it writes nothing, such a rollback waits for a person: no driver
   * has to.
   */
  undo?(request: UndoRequest): Promise<FilePatch[]>
}

/** What `undo` is asked: the earlier source, and what the change did since. */
export interface UndoRequest {
  read: ReadFile
  list: ListFiles
  /** Of the stack, from the repository's root. */
  path: string
  /** What runs of the change did, oldest first. */
  deeds: readonly Deed[]
  /** Of the last of those runs. */
  toolVersions: { readonly [tool: string]: string }
  /** The commit that is taken back. */
  change: string
}
