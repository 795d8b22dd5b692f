import { existsSync } from 'node:fs'
import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { TrueupError } from '../lib/errors/error.ts'
import { runProcess } from '../lib/process/run.ts'
import { syncPath } from './child/durability.ts'
import { gitEnvironment } from './environment.ts'

/** What a repository should have, as the server's database remembers it. */
export interface Remembered {
  defaultBranch: string
  /** Full name of each branch → commit, as last processed. */
  refs: ReadonlyMap<string, string>
}

const CONFIG = '[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = true\n'
const DIRECTORIES = ['objects/info', 'objects/pack', 'refs/heads', 'refs/tags']
const OID = /^(?:[0-9a-f]{40}|[0-9a-f]{64})\n?$/

/**
 * Puts right what a power cut or a careless hand left of a bare repository, as far as it can be known: HEAD, its
 * configuration and directories, indexes of packs, and branches that the database remembers and whose commit is still
 * there. Never removes an object. Only while no server runs on it. Returns what was done, in words; nothing for a whole one.
 * Errors: NOT_FOUND where the directory is gone, GIT_FAILED.
 */
export async function mendRepository(directory: string, remembered: Remembered): Promise<string[]> {
  const doing = `mending ${directory}`
  const done: string[] = []
  if (!(await isDirectory(directory))) {
    const why = 'the directory is gone'
    throw new TrueupError('NOT_FOUND', { doing, why, next: 'Bring it back from a backup with `trueup restore`.' })
  }
  for (const name of DIRECTORIES) {
    if (await isDirectory(join(directory, name))) continue
    await mkdir(join(directory, name), { recursive: true, mode: 0o700 })
    done.push(`made the directory ${name}`)
  }
  const config = await readFile(join(directory, 'config'), 'utf8').catch(() => '')
  if (!/^\s*\[core\]/m.test(config)) {
    await replace(join(directory, 'config'), CONFIG)
    done.push('wrote its configuration')
  }
  const head = await readFile(join(directory, 'HEAD'), 'utf8').catch(() => '')
  if (!/^ref: refs\/heads\/\S+\n?$/.test(head)) {
    await replace(join(directory, 'HEAD'), `ref: refs/heads/${remembered.defaultBranch}\n`)
    done.push(`set HEAD to ${remembered.defaultBranch}`)
  }
  done.push(...(await indexPacks(directory, doing)))
  for (const [name, oid] of remembered.refs)
    if (await mendRef(directory, name, oid, doing)) done.push(`set ${name} to ${oid}`)
  return done
}

/** A pack without its index is there, and cannot be read. */
async function indexPacks(directory: string, doing: string): Promise<string[]> {
  const packs = join(directory, 'objects', 'pack')
  const done: string[] = []
  for (const name of (await readdir(packs)).filter((each) => each.endsWith('.pack'))) {
    const index = join(packs, name.replace(/\.pack$/, '.idx'))
    if ((await sizeOf(index)) > 0) continue
    await rm(index, { force: true })
    await git(directory, ['index-pack', join(packs, name)], doing)
    await syncPath(index)
    done.push(`indexed ${name}`)
  }
  return done
}

/** Whether the branch had to be set to what the database remembers. One that stands elsewhere is ahead of the database. */
async function mendRef(directory: string, name: string, oid: string, doing: string): Promise<boolean> {
  const loose = join(directory, name)
  const content = existsSync(loose) ? await readFile(loose, 'utf8') : null
  if (content !== null && !OID.test(content)) await rm(loose)
  const now = await run(directory, ['rev-parse', '--verify', '--quiet', `${name}^{commit}`])
  if (now.exitCode === 0) return false
  if ((await run(directory, ['cat-file', '-e', `${oid}^{commit}`])).exitCode !== 0) return false
  await rm(`${loose}.lock`, { force: true })
  await git(directory, ['update-ref', name, oid], doing)
  return true
}

async function replace(path: string, text: string): Promise<void> {
  const temporary = `${path}.mending`
  const file = await open(temporary, 'w', 0o600)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(temporary, path)
  await syncPath(join(path, '..'))
}

const isDirectory = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  )
const sizeOf = (path: string): Promise<number> =>
  stat(path).then(
    ({ size }) => size,
    () => 0,
  )

const run = (directory: string, argv: string[]) =>
  runProcess({
    argv: ['git', ...argv],
    cwd: '/',
    env: { ...gitEnvironment('/dev/null'), GIT_DIR: directory },
    timeoutMs: 600_000,
  })

async function git(directory: string, argv: string[], doing: string): Promise<void> {
  const { exitCode, stderr } = await run(directory, argv)
  if (exitCode !== 0) throw new TrueupError('GIT_FAILED', { doing, why: stderr.trim() })
}
