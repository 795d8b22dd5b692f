import { cp, lstat, mkdir, readdir, readFile, readlink, stat, symlink } from 'node:fs/promises'
import { dirname, join, resolve, sep } from 'node:path'
import picomatch from 'picomatch'
import type { ListFiles, ReadFile } from '../../drivers/driver.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import { runProcess } from '../../lib/process/run.ts'

export const CONFIG_FILE = 'trueup.yaml'

/** A repository as it lies on this disk: committed, changed and new files, without what `.gitignore` names. */
export interface WorkingTree {
  root: string
  /** Paths from the root, sorted. */
  files: readonly string[]
  directories: readonly string[]
  read: ReadFile
  list: ListFiles
  /** Copies directories and files into `target`; what a tool writes there never reaches the working tree. */
  copy(paths: readonly string[], target: string): Promise<void>
  /** Symbolic links among directories and files, by where they point. */
  links(paths: readonly string[]): Promise<Map<string, string>>
  /** The files that globs match. */
  matching(globs: readonly string[]): string[]
}

/** Never source: Git's own, and directories of this size that only tools make. */
const SKIPPED = new Set(['.git', 'node_modules', '.terraform'])

/** Opens the repository around `from`: the Git work tree it lies in, otherwise the nearest directory with a trueup.yaml. */
export async function openWorkingTree(from: string): Promise<WorkingTree> {
  if (!(await isDirectory(from))) {
    throw new TrueupError('NOT_FOUND', {
      doing: `opening the repository around ${from}`,
      why: 'there is no such directory',
      next: 'Name a directory of a repository, or stand in one.',
    })
  }
  const top = await git(from, ['rev-parse', '--show-toplevel'])
  const root = top === null ? await nearestWithConfig(from) : top.trim()
  const listed = top === null ? null : await git(root, ['ls-files', '-z', '--cached', '--others', '--exclude-standard'])
  const named = listed === null ? await walk(root) : listed.split('\0').filter((path) => path !== '')
  const files: string[] = []
  // `ls-files` still names what was deleted but not staged, and submodules, which are directories.
  for (const path of new Set(named)) if (await isFile(join(root, path))) files.push(path)
  files.sort()
  const directories = new Set<string>()
  for (const path of files)
    for (let at = dirname(path); at !== '.' && !directories.has(at); at = dirname(at)) directories.add(at)
  const below = (path: string): string[] =>
    path === '.' ? files : files.filter((file) => file === path || file.startsWith(`${path}/`))
  return {
    root,
    files,
    directories: [...directories].sort(),
    read: (path) => readFile(inside(root, path)).catch(() => null),
    list: async (directory) => below(directory),
    matching(globs) {
      const matches = globs.map((glob) => picomatch(glob, { dot: true }))
      return files.filter((file) => matches.some((matchesGlob) => matchesGlob(file)))
    },
    async links(paths) {
      const links = new Map<string, string>()
      for (const file of new Set(paths.flatMap(below))) {
        // What tools made is in no commit, even where nobody told Git to ignore it.
        if (file.split('/').some((segment) => SKIPPED.has(segment))) continue
        if ((await lstat(join(root, file))).isSymbolicLink()) links.set(file, await readlink(join(root, file)))
      }
      return links
    },
    async copy(paths, target) {
      for (const file of new Set(paths.flatMap(below))) {
        const to = join(target, file)
        await mkdir(dirname(to), { recursive: true })
        const stat = await lstat(join(root, file))
        if (stat.isSymbolicLink()) await symlink(await readlink(join(root, file)), to)
        else await cp(join(root, file), to, { mode: 0, preserveTimestamps: true })
      }
    },
  }
}

/** Output of a git command, or null where there is no repository (or no git). */
async function git(cwd: string, args: string[]): Promise<string | null> {
  const env = { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '/', LC_ALL: 'C' }
  try {
    const { exitCode, stdout } = await runProcess({
      argv: ['git', ...args],
      cwd,
      env,
      maxOutputBytes: 256 * 1024 * 1024,
    })
    return exitCode === 0 ? stdout : null
  } catch (error) {
    if (error instanceof TrueupError && error.code === 'TOOL_MISSING') return null
    throw error
  }
}

async function nearestWithConfig(from: string): Promise<string> {
  for (let at = resolve(from); ; at = dirname(at)) {
    if (await isFile(join(at, CONFIG_FILE))) return at
    if (at === dirname(at)) return resolve(from)
  }
}

async function walk(root: string, directory = ''): Promise<string[]> {
  const entries = await readdir(join(root, directory), { withFileTypes: true })
  const found: string[] = []
  for (const entry of entries) {
    const path = directory === '' ? entry.name : `${directory}/${entry.name}`
    if (entry.isDirectory()) {
      if (!SKIPPED.has(entry.name)) found.push(...(await walk(root, path)))
    } else found.push(path)
  }
  return found
}

const isFile = (path: string): Promise<boolean> =>
  lstat(path).then(
    (stat) => stat.isFile() || stat.isSymbolicLink(),
    () => false,
  )

const isDirectory = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  )

function inside(root: string, path: string): string {
  const full = resolve(root, path)
  if (full === root || full.startsWith(root + sep)) return full
  throw new TrueupError('PATH_OUTSIDE', { doing: `reading ${JSON.stringify(path)}`, why: 'it leaves the repository' })
}
