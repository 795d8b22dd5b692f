import { readdir, readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import type { DriverContext, ListFiles, ReadFile } from '../driver.ts'

/** Reads the run's workspace as the server reads the repository. */
export function workspaceFiles({ workspace }: Pick<DriverContext<unknown>, 'workspace'>): {
  read: ReadFile
  list: ListFiles
} {
  return {
    read: (path) => readFile(join(workspace, path)).catch(() => null),
    list: async (directory) => {
      const all = await readdir(join(workspace, directory), { recursive: true, withFileTypes: true }).catch(() => [])
      return all
        .filter((entry) => !entry.isDirectory())
        .map((entry) => relative(workspace, join(entry.parentPath, entry.name)))
        .toSorted()
    },
  }
}
