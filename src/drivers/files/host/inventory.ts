import { createHash } from 'node:crypto'
import { closeSync, constants, fsyncSync, openSync, readFileSync, renameSync, unlinkSync, writeSync } from 'node:fs'
import { z } from 'zod'
import { TrueupError } from '../../../lib/errors/error.ts'
import { errorCode, type HostTree } from './host-tree.ts'
import { reasonOf } from './live.ts'

/**
 * What this stack placed under its target, kept in the target itself: it is as durable as the files it speaks of, moves
 * with them, and outlives the worker and its caches. Pruning `listed` and destroying go by it and by nothing else.
 */
export const Inventory = z.object({
  version: z.literal(1),
  stack: z.string(),
  /** Paths below the target, sorted. Files and symbolic links. */
  files: z.array(z.string()),
  /** Directories that this stack made; '' is the target. */
  directories: z.array(z.string()),
  /** Reload commands that are due: files were changed and the command has not succeeded since. */
  reload: z.array(z.string()),
})
export type Inventory = z.infer<typeof Inventory>

/** Names that Trueup itself uses in targets. They are never managed, pruned or reported. */
export const isOwnName = (name: string): boolean => OWN.test(name)
const OWN = /^\.trueup-[0-9a-f]{12}(\.json|\.[0-9a-f]{16}\.tmp)$/

/** Names of one stack's inventory and temporary files: a renamed stack finds those of its former name beside its own. */
export interface OwnNames {
  inventory: string
  /** A new temporary name. */
  temporary(random: string): string
  isTemporary(name: string): boolean
}

export function ownNames(stack: { repository: string; environment: string; name: string }): OwnNames {
  const identity = `${stack.repository}/${stack.environment}/${stack.name}`
  const prefix = `.trueup-${createHash('sha256').update(identity).digest('hex').slice(0, 12)}`
  return {
    inventory: `${prefix}.json`,
    temporary: (random) => `${prefix}.${random}.tmp`,
    isTemporary: (name) => name.startsWith(`${prefix}.`) && name.endsWith('.tmp') && isOwnName(name),
  }
}

export const emptyInventory = (stack: string): Inventory => ({
  version: 1,
  stack,
  files: [],
  directories: [],
  reload: [],
})

const READ = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK
const WRITE = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW

/** Reads the inventory. Null where there is none; TARGET_UNSAFE for one that is not ours to believe. */
export function readInventory(tree: HostTree | null, name: string): Inventory | null {
  const place = tree?.locate(name)
  if (place?.kind !== 'open') return null
  let descriptor: number
  try {
    descriptor = openSync(place.path, READ)
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null
    throw unbelievable(tree, name, reasonOf(error), error)
  }
  try {
    const inventory = Inventory.parse(JSON.parse(readFileSync(descriptor, 'utf8')))
    const bad = [...inventory.files, ...inventory.directories].find((path) => path.split('/').some(isBadName))
    if (bad === undefined) return inventory
    throw unbelievable(tree, name, `it names ${JSON.stringify(bad)}, which is not a path below the target`)
  } catch (error) {
    if (error instanceof TrueupError) throw error
    throw unbelievable(tree, name, 'its content is damaged', error)
  } finally {
    closeSync(descriptor)
  }
}

/** Writes the inventory durably: temporary file, fsync, rename, fsync of the directory. Throws system errors. */
export function writeInventory(tree: HostTree, names: OwnNames, inventory: Inventory): void {
  const place = tree.directory('')
  if (place.kind !== 'open') throw Object.assign(new Error('the target has vanished'), { code: 'ENOENT' })
  const temporary = `${place.path}/${names.temporary('0'.repeat(16))}`
  const descriptor = openSync(temporary, WRITE, 0o600)
  try {
    const sorted = { ...inventory, files: sort(inventory.files), directories: sort(inventory.directories) }
    writeSync(descriptor, `${JSON.stringify(sorted)}\n`)
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
  renameSync(temporary, `${place.path}/${names.inventory}`)
  fsyncSync(place.directory)
}

export const sameInventory = (a: Inventory, b: Inventory): boolean => fingerprint(a) === fingerprint(b)
const fingerprint = ({ files, directories, reload }: Inventory): string =>
  JSON.stringify([sort(files), sort(directories), sort(reload)])

/** Removes the inventory; nothing happens when there is none. */
export function removeInventory(tree: HostTree, names: OwnNames): void {
  const place = tree.locate(names.inventory)
  if (place.kind !== 'open') return
  try {
    unlinkSync(place.path)
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error
  }
}

const sort = (paths: readonly string[]): string[] => [...new Set(paths)].sort()

/** '' is right for the target itself; `a//b` and `..` would reach elsewhere. */
const isBadName = (name: string, _index: number, names: string[]): boolean =>
  name === '.' || name === '..' || name.includes('\0') || (name === '' && names.length > 1)

function unbelievable(tree: HostTree | null, name: string, why: string, cause?: unknown): TrueupError {
  return new TrueupError('TARGET_UNSAFE', {
    doing: `reading the list of placed files ${tree?.root}/${name}`,
    why,
    next: 'Restore the file from a backup, or remove it: Trueup then prunes only what it places from now on.',
    cause,
  })
}
