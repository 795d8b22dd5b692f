import { posix } from 'node:path'
import type { ListFiles, ReadFile } from '../driver.ts'
import { type CommandConfig, isExecutable } from './config.ts'

/** `../../tools/driver.py` stands outside the stack's directory, and the desired state depends on it all the same. */
export async function dependencies(
  _read: ReadFile,
  _list: ListFiles,
  path: string,
  config: CommandConfig,
): Promise<string[]> {
  if (!isExecutable(config) || !config.executable.includes('/') || config.executable.startsWith('/')) return []
  const file = posix.join(path, config.executable)
  const isInside = file === path || file.startsWith(`${posix.normalize(path)}/`) || path === '.'
  return isInside || file.startsWith('..') ? [] : [file]
}
