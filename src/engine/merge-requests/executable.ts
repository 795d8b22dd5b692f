import type { TrueupConfig } from '../../domain/config/schema.ts'
import { isAtLeast, ROLES, type Role, VOTER } from '../../domain/roles.ts'
import type { StackDefinition } from '../../domain/stacks/definition.ts'
import type { BroughtFile, Executed } from '../../drivers/driver.ts'
import { driverNamed } from '../../drivers/registry.ts'
import type { GitRepository, TreeChange } from '../../git/repository.ts'
import { canonicalJson } from '../../lib/json.ts'
import type { MergeRequest } from '../../store/changes/merge-requests.ts'
import { type EngineParts, repositoryOf } from '../parts.ts'
import { isRollback } from '../rolled-back/judge.ts'
import type { Snapshot, StackSource } from '../snapshot/snapshot.ts'
import { makersOf } from './makers.ts'
import { vouchersOf } from './vetted.ts'
import { type Person, personIn } from './voters.ts'

/** What of a larger file is executed nobody looks for: it is taken for executed as a whole. */
const MAX_BYTES = 1024 * 1024

/**
 * What is executed and comes to a stack with an MR, in words, where nobody vouches for it whom the target branch lets
 * (`executable:`): neither have such people alone made the change, nor has one without a part in it approved its head. Asked before a run is ordered.
 */
export async function unvouchedExecutable(
  parts: EngineParts,
  mr: MergeRequest,
  before: Snapshot,
  after: Snapshot,
): Promise<(source: StackSource) => Promise<string[]>> {
  const rule = before.config?.executable
  if (!rule || isRollback(mr) || (await isVouchedFor(parts, mr, rule.from))) return () => Promise.resolve([])
  const git = repositoryOf(parts, mr.repositoryId)
  const changes = await git.treeChanges(before.treeOid, after.treeOid)
  return async (source) => {
    const target = before.stacks.get(source.definition.key)
    const files = await broughtFiles(git, { changes, treeOid: after.treeOid }, source, target)
    return [...settingsBrought(source.definition, target?.definition), ...files]
  }
}

type From = NonNullable<TrueupConfig['executable']>['from']

async function isVouchedFor(parts: EngineParts, mr: MergeRequest, from: From): Promise<boolean> {
  if ((await vouchersOf(parts, mr)).some((person) => isAmong(person, from))) return true
  const { authorId, pusherIds, unknownTip, problem } = await makersOf(parts, mr)
  if (unknownTip !== null || problem !== null) return false
  for (const userId of new Set([authorId, ...pusherIds])) {
    const person = await personIn(parts.store.db, mr.repositoryId, userId, VOTER)
    if (person.barred !== null || !isAmong(person, from)) return false
  }
  return true
}

/** Server administrators have every role, and are in no team and no name that they do not have. */
function isAmong({ user, teams, role }: Person, from: From): boolean {
  const held: Role | null = user?.kind === 'admin' ? 'admin' : role
  return from.some((entry) => {
    const name = entry.slice(entry.indexOf(':') + 1)
    if (entry.startsWith('team:')) return teams.includes(name)
    if (entry.startsWith('user:')) return user?.name === name
    const needed = ROLES.find((each) => each === name)
    return held !== null && needed !== undefined && isAtLeast(held, needed)
  })
}

/** Of the stack's entry: commands of Trueup, settings of the driver that name programs, variables that tools obey. */
function settingsBrought(wanted: StackDefinition, target: StackDefinition | undefined): string[] {
  const differs = (a: unknown, b: unknown): boolean => canonicalJson(a ?? null) !== canonicalJson(b ?? null)
  const settings = driverNamed(wanted.driver).executables?.settings ?? []
  const own = (['checks', 'verify'] as const).filter((part) => differs(wanted[part], target?.[part] ?? []))
  const moved = target !== undefined && (target.driver !== wanted.driver || target.path !== wanted.path)
  return [
    ...own,
    ...(differs(wanted.variables, target?.variables ?? {}) ? ['variables'] : []),
    ...(moved ? ['another driver or directory'] : []),
    ...settings
      .filter((name) => differs(wanted.driverConfig[name], target?.driverConfig[name]))
      .map((name) => `with.${name}`),
  ]
}

interface Brought {
  /** Null where there are too many to be told. */
  changes: readonly TreeChange[] | null
  treeOid: string
}

/**
 * What changes of the stack's files, and all of directories that it was not built from before: files may have come by a
 * change that had no stack of them.
 */
async function broughtFiles(
  git: GitRepository,
  { changes, treeOid }: Brought,
  { definition, paths }: StackSource,
  target: StackSource | undefined,
): Promise<string[]> {
  const { executables } = driverNamed(definition.driver)
  if (!executables) return []
  if (changes === null) return ['more files than can be looked at']
  const known = target?.definition.driver === definition.driver ? target.paths : []
  const fresh = paths.filter((path) => !isBelow(path, known))
  const files = changes.filter(({ path }) => isBelow(path, paths) && !isBelow(path, fresh))
  for (const root of fresh)
    for (const { path, oid, mode } of await git.listFiles(treeOid, root))
      files.push({ path, old: null, new: { oid, mode, type: 'blob' } })
  const found: string[] = []
  for (const { path, old, new: now } of files) {
    const inIt = async (entry: TreeChange['old']): Promise<Executed[]> =>
      entry?.type === 'blob' ? executables.inFile(await read(git, path, entry)) : []
    const before = new Set((await inIt(old)).map(({ text }) => text))
    found.push(...(await inIt(now)).filter(({ text }) => !before.has(text)).map(({ what }) => what))
  }
  return [...new Set(found)]
}

const isBelow = (path: string, roots: readonly string[]): boolean =>
  roots.some((root) => root === '.' || path === root || path.startsWith(`${root}/`))

async function read(
  git: GitRepository,
  path: string,
  { oid, mode }: NonNullable<TreeChange['new']>,
): Promise<BroughtFile> {
  const content = await git.readBlob(oid, path, MAX_BYTES).catch(() => null)
  return content === null ? { path, mode: '100755', content: oid } : { path, mode, content: content.toString('utf8') }
}
