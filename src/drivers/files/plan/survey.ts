import { realpathSync } from 'node:fs'
import { join, sep } from 'node:path'
import { parseDuration } from '../../../domain/duration.ts'
import { compileIgnore } from '../../../domain/plans/ignore.ts'
import { TrueupError } from '../../../lib/errors/error.ts'
import type { DriverContext } from '../../driver.ts'
import { readAccounts } from '../host/accounts.ts'
import { HashCache } from '../host/cache.ts'
import { compareEntry, type Comparison } from './compare.ts'
import { type FilesConfig, reloadCommands } from '../config.ts'
import { fileId } from '../host/content.ts'
import { errorCode } from '../host/host-tree.ts'
import { emptyInventory, ownNames, readInventory } from '../host/inventory.ts'
import { look, reasonOf } from '../host/live.ts'
import { refusePointers } from './lfs.ts'
import { obstaclesTo } from './obstacles.ts'
import { clearTheWay, planExtras, planPlaced } from './prune.ts'
import { slices } from '../host/slices.ts'
import { noWanted, readWanted, type WantedEntry, type WantedTree } from '../source/source.ts'
import { addressOf, openTarget, type Target } from '../host/target.ts'
import type { Survey } from './survey-state.ts'

/** Text of contents in one plan; what is beyond shows as hashes. Keeps a first deployment of 10,000 files storable. */
const SHOWN_IN_ALL = 4 * 1024 * 1024

/**
 * Compares target and Git, and calls `use` with the result while the target's directories are held open.
 * Throws SOURCE_INVALID, TARGET_UNSAFE, CANCELED.
 */
export async function withSurvey<T>(
  context: DriverContext<FilesConfig>,
  use: (survey: Survey) => T | Promise<T>,
): Promise<T> {
  const target = openTarget(context)
  try {
    return await use(await survey(context, target))
  } finally {
    target.tree?.close()
  }
}

async function survey(context: DriverContext<FilesConfig>, target: Target): Promise<Survey> {
  const { config, destroy } = context
  const accounts = readAccounts()
  const wanted = destroy ? noWanted(config) : readWanted(context, accounts)
  if (!destroy) refuseEmptyPrune(config, wanted)
  const names = ownNames(context.stack)
  const placed = readInventory(target.tree, names.inventory)
  const inventory = placed ?? emptyInventory(`${context.stack.environment}/${context.stack.name}`)
  const found: Survey = {
    target,
    wanted,
    names,
    inventory,
    steps: [],
    coverage: { checked: 0, unchecked: [] },
    findings: [],
  }

  const cache = HashCache.load(
    join(context.cache, 'live-ids.json'),
    target.path,
    wanted.format,
    parseDuration(config.auditEvery),
    Date.now(),
  )
  const comparison = comparisonOf(context, found, cache, accounts)
  if (!destroy) planAbove(found)
  await compareWanted(context, found, comparison)
  if (!destroy) {
    cache.save()
    wanted.ids?.save()
  }
  clearTheWay(found, comparison)
  if (destroy || config.prune === 'listed') planPlaced(found, comparison, destroy, placed !== null)
  else if (config.prune === 'all') planExtras(found, comparison)
  if (!destroy) planDueReloads(config, found)
  refusePointers(found.steps)
  addFindings(found)
  found.steps.sort((a, b) => (a.change.address < b.change.address ? -1 : 1))
  return found
}

/** A source that yields nothing is a mistake more often than a wish, and must not empty a host. */
function refuseEmptyPrune({ prune, source }: FilesConfig, wanted: WantedTree): void {
  if (prune === 'none' || wanted.entries.size > 0) return
  throw new TrueupError('SOURCE_INVALID', {
    doing: 'reading what the target shall hold',
    why: `the source ${JSON.stringify(source)} holds no file, and \`prune: ${prune}\` would remove everything`,
    next: 'Correct `source:`, or remove the stack from trueup.yaml to remove its files.',
  })
}

function comparisonOf(
  context: DriverContext<FilesConfig>,
  { target, wanted }: Survey,
  cache: HashCache,
  accounts: Comparison['accounts'],
): Comparison {
  const livePath = (relative: string): string => {
    const place = target.tree?.locate(relative)
    if (place?.kind === 'open') return place.path
    throw Object.assign(new Error(`${relative} has vanished`), { code: 'ENOENT' })
  }
  return {
    accounts,
    livePath,
    wantedId: (file) => wanted.idOf(file),
    format: wanted.format,
    ignored: compileIgnore(context.ignore),
    hash: (value) => context.hash(value),
    tellsOwner: context.kind === 'drift',
    showSecretDiff: context.showSecretDiff ?? false,
    budget: { bytes: SHOWN_IN_ALL },
    sameContent(file, status) {
      if (file.size !== status.size) return false
      let id = cache.get(file.path, status)
      if (id === undefined) {
        const hashedAt = Date.now()
        id = fileId(livePath(file.path), status.size, wanted.format)
        cache.set(file.path, status, id, hashedAt)
      }
      return id === wanted.idOf(file)
    },
  }
}

async function compareWanted(
  context: DriverContext<FilesConfig>,
  found: Survey,
  comparison: Comparison,
): Promise<void> {
  const pause = slices(context.signal, `comparing ${found.target.path}`)
  for (const entry of found.wanted.entries.values()) {
    compareOne(entry, found, comparison)
    await pause()
  }
}

function compareOne(entry: WantedEntry, found: Survey, comparison: Comparison): void {
  const { target } = found
  const address = addressOf(target.path, entry.path)
  const live = look(target.tree, entry.path)
  try {
    if (live.kind === 'unreadable') throw live.error
    if (entry.kind === 'directory' && live.kind === 'symlink') refuseEscape(found, address, entry.path)
    const step = compareEntry(entry, live, address, comparison)
    if (step) found.steps.push(step)
    found.coverage.checked++
  } catch (error) {
    if (error instanceof TrueupError || errorCode(error) === '') throw error
    found.coverage.unchecked.push({ address, why: reasonOf(error) })
  }
}

/**
 * A link to elsewhere is someone's decision about this host; replacing it, or writing through it, is not ours to make. One
 * that this stack placed (`links: keep`) is ours to replace.
 */
function refuseEscape({ target, inventory }: Survey, address: string, path: string): void {
  if (inventory.files.includes(path)) return
  const root = target.tree?.root ?? target.path
  let leadsTo: string
  try {
    leadsTo = realpathSync(`${root}/${path}`)
  } catch {
    return // It leads nowhere: an ordinary replacement.
  }
  const real = realpathSync(root)
  if (leadsTo === real || leadsTo.startsWith(real === sep ? sep : real + sep)) return
  throw new TrueupError('TARGET_UNSAFE', {
    doing: `looking at ${address}`,
    why: `it is a symbolic link to ${leadsTo}, outside the target, where Git has a directory`,
    next: 'Remove the link from the host, put the link itself into Git, or give that directory a stack of its own.',
  })
}

/** Directories above the target that have to be made first. */
function planAbove({ target, wanted, steps }: Survey): void {
  if (wanted.entries.size === 0) return
  for (const path of target.missing) {
    const change = {
      address: path,
      type: 'directory',
      actions: ['create' as const],
      attributes: [],
      cause: 'config' as const,
    }
    steps.push({ change, path, act: 'above', live: { kind: 'absent' } })
  }
}

/** Commands that an earlier apply owed and did not get to, or that did not succeed. */
function planDueReloads(config: FilesConfig, { target, inventory, steps }: Survey): void {
  for (const { run } of reloadCommands(config)) {
    if (!inventory.reload.includes(run)) continue
    steps.push({
      change: {
        address: `${target.path}#reload:${run}`,
        type: 'command',
        actions: ['update'],
        attributes: [{ path: 'due', before: true, after: false }],
        cause: 'config',
        reason: 'files were changed and this command has not succeeded since',
      },
      path: run,
      act: 'reload',
      live: { kind: 'absent' },
    })
  }
}

function addFindings({ target, steps, coverage, findings }: Survey): void {
  for (const { address, why } of obstaclesTo(target, target.tree, steps)) {
    findings.push({
      severity: 'warning',
      code: 'obstacle',
      message: `an apply would be refused: ${why}`,
      path: address,
    })
  }
  for (const { address, why } of coverage.unchecked) {
    findings.push({ severity: 'warning', code: 'unchecked', message: `could not be compared: ${why}`, path: address })
  }
  for (const { act, live, change } of steps) {
    if (act !== 'write' || live.kind !== 'file' || live.status.links < 2) continue
    const message = `the file has ${live.status.links} hard links: the other names keep the old content`
    findings.push({ severity: 'warning', code: 'hard-links', message, path: change.address })
  }
  const changesOwner = steps.some(({ change }) => change.attributes.some(({ path }) => path === 'owner'))
  if (changesOwner && process.getuid?.() !== 0) {
    const message = 'only root may change the owner of a file, and this worker is not root'
    findings.push({ severity: 'warning', code: 'not-root', message })
  }
}
