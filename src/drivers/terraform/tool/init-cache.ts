import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import {
  copyFile,
  link,
  mkdir,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'

/**
 * Finished `init` directories of one stack, by key. An entry is published by a rename and never changed after, so any
 * number of runs may read while one writes, without a lock; each run works on its own copy.
 */
const KEPT_ENTRIES = 4

const Meta = z.object({
  /** TF_DATA_DIR at the time: remote modules are recorded by absolute path below it. */
  dataDirectory: z.string(),
  /** The backend's settings are in it too; false where they came by `-backend-config` and so stay out of the cache. */
  complete: z.boolean(),
})
const ModulesManifest = z.looseObject({ Modules: z.array(z.looseObject({ Dir: z.string() })) })

/**
 * Copies an entry into a fresh data directory: provider files as hard links (they are read only, and large), the rest as
 * copies. `providers`: `init` is still needed, and finds its providers there. A half-removed entry counts as none.
 */
export async function restoreInit(
  cache: string,
  key: string,
  dataDirectory: string,
): Promise<'everything' | 'providers' | 'nothing'> {
  const entry = join(entries(cache), key)
  try {
    const meta = Meta.parse(JSON.parse(await readFile(join(entry, 'meta.json'), 'utf8')))
    await copyTree(join(entry, 'data', 'providers'), join(dataDirectory, 'providers'), 'link')
    await copyTree(join(entry, 'data', 'modules'), join(dataDirectory, 'modules'), 'copy')
    await moveModules(join(dataDirectory, 'modules', 'modules.json'), meta.dataDirectory, dataDirectory)
    if (!meta.complete) return 'providers'
    await copyIfThere(join(entry, 'data', 'terraform.tfstate'), join(dataDirectory, 'terraform.tfstate'))
    return 'everything'
  } catch {
    await rm(dataDirectory, { recursive: true, force: true })
    await mkdir(dataDirectory, { recursive: true, mode: 0o700 })
    return 'nothing'
  }
}

/** Publishes a data directory under a key. A cache that cannot be written costs time, not the run. */
export async function saveInit(cache: string, key: string, dataDirectory: string, complete: boolean): Promise<void> {
  const temporary = join(entries(cache), `.new-${randomBytes(8).toString('hex')}`)
  try {
    await mkdir(join(temporary, 'data'), { recursive: true, mode: 0o700 })
    await copyTree(join(dataDirectory, 'providers'), join(temporary, 'data', 'providers'), 'link')
    await copyTree(join(dataDirectory, 'modules'), join(temporary, 'data', 'modules'), 'copy')
    if (complete) {
      await copyIfThere(join(dataDirectory, 'terraform.tfstate'), join(temporary, 'data', 'terraform.tfstate'))
    }
    await writeFile(
      join(temporary, 'meta.json'),
      JSON.stringify({ dataDirectory, complete } satisfies z.infer<typeof Meta>),
    )
    await rename(temporary, join(entries(cache), key))
    await dropOldEntries(cache)
  } catch {
    await rm(temporary, { recursive: true, force: true }).catch(() => {})
  }
}

const entries = (cache: string): string => join(cache, 'init')

async function moveModules(manifest: string, from: string, to: string): Promise<void> {
  const text = await readFile(manifest, 'utf8').catch(() => null)
  if (text === null) return
  const modules = ModulesManifest.parse(JSON.parse(text))
  for (const module of modules.Modules) {
    if (module.Dir.startsWith(`${from}/`)) module.Dir = to + module.Dir.slice(from.length)
  }
  await writeFile(manifest, JSON.stringify(modules))
}

/** Copies a directory where there is one. Symbolic links (a mirror's packages) stay links. */
async function copyTree(from: string, to: string, how: 'link' | 'copy'): Promise<void> {
  const found = await readdir(from, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw error
  })
  if (found === null) return
  await mkdir(to, { recursive: true })
  for (const entry of found) {
    const source = join(from, entry.name)
    const target = join(to, entry.name)
    if (entry.isDirectory()) await copyTree(source, target, how)
    else if (entry.isSymbolicLink()) await symlink(await readlink(source), target)
    else if (how === 'copy') await copyFile(source, target, constants.COPYFILE_FICLONE)
    else await link(source, target).catch(() => copyFile(source, target, constants.COPYFILE_FICLONE))
  }
}

async function copyIfThere(from: string, to: string): Promise<void> {
  await copyFile(from, to).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
  })
}

async function dropOldEntries(cache: string): Promise<void> {
  const names = (await readdir(entries(cache))).filter((name) => !name.startsWith('.'))
  const dated = await Promise.all(
    names.map(async (name) => ({ name, at: (await stat(join(entries(cache), name, 'meta.json'))).mtimeMs })),
  )
  const old = dated.toSorted((a, b) => b.at - a.at).slice(KEPT_ENTRIES)
  for (const { name } of old) await rm(join(entries(cache), name), { recursive: true, force: true })
}
