import { lstatSync, realpathSync, type Stats } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { TrueupError } from '../../../lib/errors/error.ts'
import { canonicalJson } from '../../../lib/json.ts'
import type { DriverContext } from '../../driver.ts'
import type { FilesConfig } from '../config.ts'
import { HostTree } from './host-tree.ts'
import { reasonOf } from './live.ts'

/** The directory on the host, opened, or what there is of the way to it. */
export interface Target {
  /** Absolute; what addresses begin with. */
  path: string
  /** Null while the target does not exist. */
  tree: HostTree | null
  /** Directories above the target that do not exist either, the topmost first. */
  missing: string[]
}

/**
 * Finds and opens the target. Directories above it are the host's own business and may be symbolic links; the target
 * itself only with `followTargetSymlink`. Throws TARGET_UNSAFE when something else stands there, SOURCE_INVALID for a
 * placeholder that cannot be filled in.
 */
export function openTarget(context: DriverContext<FilesConfig>): Target {
  const path = targetPath(context)
  const doing = `opening the target ${path}`
  let status: Stats | undefined
  try {
    status = lstatSync(path, { throwIfNoEntry: false })
    if (!status) return { path, tree: null, missing: missingAbove(path) }
    if (status.isSymbolicLink() && context.config.followTargetSymlink)
      return { path, tree: HostTree.open(realpathSync(path)), missing: [] }
    if (status.isDirectory()) return { path, tree: HostTree.open(path), missing: [] }
  } catch (cause) {
    throw new TrueupError('TARGET_UNSAFE', { doing, why: reasonOf(cause), cause })
  }
  const link = status.isSymbolicLink()
  throw new TrueupError('TARGET_UNSAFE', {
    doing,
    why: link ? 'it is a symbolic link' : 'it is not a directory',
    next: link
      ? 'Name the directory that it leads to, or set `followTargetSymlink: true`.'
      : 'Move it out of the way, or name another target.',
  })
}

/** The target's absolute path with `${inputs.NAME}` filled in. */
export function targetPath({ config, inputs }: Pick<DriverContext<FilesConfig>, 'config' | 'inputs'>): string {
  const doing = `filling in the target ${config.target}`
  const path = config.target.replace(/\$\{inputs\.([^}]*)\}/g, (_whole, name: string) => {
    const input = Object.hasOwn(inputs, name) ? inputs[name] : undefined
    const why = input ? 'is a secret, and targets are shown to everyone' : 'does not exist'
    if (!input || input.sensitive) throw new TrueupError('SOURCE_INVALID', { doing, why: `the input "${name}" ${why}` })
    return typeof input.value === 'string' ? input.value : canonicalJson(input.value)
  })
  const unsafe = path.includes('\0') || path.split('/').includes('..') || !path.startsWith('/')
  if (unsafe || /\$\{/.test(path)) {
    const why = unsafe
      ? `${JSON.stringify(path)} is not an absolute path without \`..\``
      : 'only ${inputs.NAME} has a meaning there'
    throw new TrueupError('SOURCE_INVALID', { doing, why })
  }
  return resolve(path)
}

/** The address of a path below the target. */
export const addressOf = (target: string, path: string): string =>
  path === '' ? target : target === '/' ? `/${path}` : `${target}/${path}`

function missingAbove(path: string): string[] {
  const missing: string[] = []
  for (let parent = dirname(path); !lstatSync(parent, { throwIfNoEntry: false }); parent = dirname(parent)) {
    missing.unshift(parent)
  }
  return missing
}
