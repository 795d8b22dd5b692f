import { readdir, readFile } from 'node:fs/promises'
import { join, posix } from 'node:path'
import type { ListFiles, ReadFile } from '../../driver.ts'

/**
 * The workspace in the shape in which the server reads a commit, so that both sides use one reader of modules.
 * `list` answers the files directly in a directory only: more is never looked at on the worker.
 */
export function workspaceFiles(workspace: string): { read: ReadFile; list: ListFiles } {
  return {
    read: (path) => readFile(join(workspace, path)).catch(() => null),
    list: async (directory) => {
      const entries = await readdir(join(workspace, directory), { withFileTypes: true }).catch(() => [])
      return entries.filter((entry) => !entry.isDirectory()).map((entry) => posix.join(directory, entry.name))
    },
  }
}
