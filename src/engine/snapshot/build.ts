import { type CodeOwners, OWNER_FILES, type OwnersDialect, parseCodeOwners } from '../../domain/gates/code-owners.ts'
import { parseConfigWithLines } from '../../domain/config/parse.ts'
import { compilePolicy } from '../../domain/policies/policy.ts'
import { discoverStacks } from '../../domain/stacks/discover.ts'
import { placeConflicts, placeTaken } from '../../domain/stacks/places.ts'
import type { StackDefinition } from '../../domain/stacks/definition.ts'
import type { GitRepository, TreeChange } from '../../git/repository.ts'
import { asTrueupError, TrueupError } from '../../lib/errors/error.ts'
import type { ErrorCode } from '../../lib/errors/table.ts'
import { isInside } from '../../drivers/built-from.ts'
import { canonicalJson } from '../../lib/json.ts'
import { turns } from '../../lib/turns.ts'
import { indexInterests } from './interest-index.ts'
import { overlaid } from './overlaid-map.ts'
import { CONFIG_FILE, type Snapshot, type StackSource } from './snapshot.ts'
import { stacksToRead } from './stacks-to-read.ts'
import { placeIn, sourceWith, stackSource } from './stack-source.ts'
import { type TreeView, treeView } from '../../git/tree-view.ts'

/** Stacks resolved at once: what they read of the object database goes there together. */
const PARALLEL = 64

/** Sources that can be had from an earlier tree's, without reading the stack's files; null where they cannot. */
type Known = (definition: StackDefinition) => StackSource | Promise<StackSource> | null
const NOTHING_KNOWN: Known = () => null

/** Faults of this moment, which say nothing about the tree: reading it again may go well. */
const FAULTS: ReadonlySet<ErrorCode> = new Set([
  'GIT_FAILED',
  'GIT_OBJECT_MISSING',
  'UNAVAILABLE',
  'TIMED_OUT',
  'CANCELED',
])

/** An error as a fact about the tree. A fault is thrown on: it must not look like a configuration without stacks. */
function factAbout(thrown: unknown, doing: string): TrueupError {
  const error = asTrueupError(thrown, doing)
  if (FAULTS.has(error.code)) throw error
  return error
}

/** Reads a whole tree. Never throws for what the tree holds: its errors are the snapshot's `problems`. */
export async function buildSnapshot(
  repository: GitRepository,
  treeOid: string,
  {
    dialect = 'builtin',
    known = NOTHING_KNOWN,
    view = treeView(repository, treeOid),
  }: { dialect?: OwnersDialect; known?: Known; view?: TreeView } = {},
): Promise<Snapshot> {
  const configOid = (await view.entry(CONFIG_FILE))?.oid ?? null
  const owners = await readOwners(repository, view, dialect)
  const nothing: Snapshot = {
    treeOid,
    view,
    configOid,
    config: null,
    stacks: new Map(),
    directories: [],
    index: indexInterests([]),
    owners,
    dialect,
    findings: [],
    problems: [],
  }
  if (configOid === null) return nothing
  try {
    const file = await repository.readFile(treeOid, CONFIG_FILE)
    const { config, lineOf } = parseConfigWithLines(file ?? '')
    for (const policy of config.policies ?? []) compilePolicy(policy)
    const directories = await repository.listDirectories(treeOid)
    if (turns.isLong) await turns.pause()
    const { stacks: definitions, findings } = discoverStacks(config, directories, lineOf)
    const stacks = await resolveAll(repository, view, definitions, known)
    if (turns.isLong) await turns.pause()
    refuseShared(stacks)
    if (turns.isLong) await turns.pause()
    return { ...nothing, config, directories, findings, stacks, index: indexOf(stacks) }
  } catch (error) {
    return { ...nothing, problems: [factAbout(error, `reading ${CONFIG_FILE}`).toJSON()] }
  }
}

/**
 * The snapshot of a tree that differs little from one already read: only stacks that the difference can concern are
 * resolved again. Equal to `buildSnapshot` of the same tree (a test holds the two against each other).
 */
export async function deriveSnapshot(
  repository: GitRepository,
  previous: Snapshot,
  treeOid: string,
): Promise<Snapshot> {
  if (previous.treeOid === treeOid) return previous
  const { dialect } = previous
  const anew = () => buildSnapshot(repository, treeOid, { dialect })
  if (previous.config === null || previous.problems.length > 0) return await anew()
  const changes = await repository.treeChanges(previous.treeOid, treeOid)
  if (changes === null) return await anew()
  const view = previous.view.changed(treeOid, changes)
  // A directory that is on both sides says nothing that what differs in it does not say.
  const ends = changes.filter((change) => change.old?.type !== 'tree' || change.new?.type !== 'tree')
  const concerned = new Set(ends.flatMap((change) => previous.index.interested(change.path)))
  const structural = ends.some((change) => change.old?.type === 'tree' || change.new?.type === 'tree')
  const rules = ends.some((change) => change.path === CONFIG_FILE || OWNER_FILES[dialect].includes(change.path))
  if (structural || rules) {
    const unconcerned: Known = (definition) => {
      const source = previous.stacks.get(definition.key)
      if (!source || concerned.has(definition.key)) return null
      return canonicalJson(source.definition) === canonicalJson(definition) ? source : null
    }
    return await buildSnapshot(repository, treeOid, { dialect, known: unconcerned, view })
  }
  if (concerned.size === 0) return { ...previous, treeOid, view }
  const definitions = [...concerned].map((key) => previous.stacks.get(key)!.definition)
  // Whatever cannot be read here cannot be read below either, where it becomes the stack's problem.
  const toRead = await stacksToRead(repository, previous, view, { changes: ends, concerned }).catch(() => concerned)
  const known: Known = (definition) => {
    return toRead.has(definition.key) ? null : refreshed(repository, view, previous.stacks.get(definition.key)!, ends)
  }
  const resolved = await resolveAll(repository, view, definitions, known).catch(() => null)
  const moved = [...(resolved ?? [])].some(
    ([key, { place }]) => place?.address !== previous.stacks.get(key)!.place?.address,
  )
  // What is wrong, and what may be with places that are others now, is said in one way only, however the tree was reached.
  if (resolved === null || moved) return await anew()
  const stacks = overlaid(previous.stacks, resolved)
  const sameInterests = [...resolved].every(([key, { interests }]) =>
    sameList(interests, previous.stacks.get(key)!.interests),
  )
  return { ...previous, treeOid, view, stacks, index: sameInterests ? previous.index : indexOf(stacks) }
}

/** A stack whose dependencies are the same by name. Its place is told by its own directory and by files that settings name. */
async function refreshed(
  repository: GitRepository,
  view: TreeView,
  { definition, dependencies, place }: StackSource,
  changes: readonly TreeChange[],
): Promise<StackSource> {
  const tells = changes.some(({ path }) => isInside(path, definition.path) || dependencies.includes(path))
  return await sourceWith(view, definition, dependencies, tells ? await placeIn(repository, view, definition) : place)
}

/** One place, one stack: where two claim it, neither is the one that was meant. */
function refuseShared(stacks: ReadonlyMap<string, StackSource>): void {
  const conflicts = placeConflicts([...stacks].map(([key, { place }]) => ({ key, place })))
  if (conflicts.length > 0) throw severalProblems(conflicts.map(placeTaken))
}

const sameList = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((item, at) => item === b[at])

const indexOf = (stacks: ReadonlyMap<string, StackSource>) =>
  indexInterests([...stacks].map(([key, source]) => [key, source.interests] as const))

async function resolveAll(
  repository: GitRepository,
  view: TreeView,
  definitions: readonly StackDefinition[],
  known: Known,
): Promise<Map<string, StackSource>> {
  const results = new Map<string, StackSource>()
  const problems = new Map<string, TrueupError>()
  let next = 0
  const work = async (): Promise<void> => {
    for (let definition = definitions[next++]; definition; definition = definitions[next++]) {
      const { key } = definition
      // What a stack is built from is mostly in memory: thousands of them would keep everybody else waiting.
      if (turns.isLong) await turns.pause()
      try {
        results.set(key, await (known(definition) ?? stackSource(repository, view, definition)))
      } catch (thrown) {
        problems.set(key, factAbout(thrown, `reading stack ${key}`))
      }
    }
  }
  await Promise.all(Array.from({ length: PARALLEL }, work))
  if (problems.size > 0) throw severalProblems(definitions.flatMap(({ key }) => problems.get(key) ?? []))
  // In the order of the configuration, whatever finished first: equal trees give equal snapshots.
  return new Map(definitions.map((definition) => [definition.key, results.get(definition.key)!]))
}

function severalProblems(problems: TrueupError[]): TrueupError {
  const [first, ...others] = problems as [TrueupError, ...TrueupError[]]
  if (others.length === 0) return first
  const { doing, why, next } = first.text
  return new TrueupError(first.code, {
    doing,
    why: `${why} (and ${others.length} more stacks with problems)`,
    next,
    cause: first,
  })
}

async function readOwners(
  repository: GitRepository,
  view: TreeView,
  dialect: OwnersDialect,
): Promise<CodeOwners | null> {
  for (const path of OWNER_FILES[dialect]) {
    const entry = await view.entry(path)
    if (entry?.type !== 'blob') continue
    const text = await repository.readFile(view.treeOid, path)
    if (text) return parseCodeOwners(text.toString('utf8'), dialect)
  }
  return null
}
