import { posix } from 'node:path'
import type { ListFiles, ReadFile } from '../../driver.ts'
import type { ChefSource } from './source.ts'

/** A cookbook of the repository, as its metadata tells. */
export interface Cookbook {
  name: string
  home: string
  /** Names of other cookbooks that it needs, with the place where that is said. */
  depends: { name: string; path: string; line?: number }[]
}

/**
 * All cookbooks that a stack can use. Chef takes the name from the metadata, and the directory's where that has none. The
 * file is Ruby: what is not written plainly (`depends "apt"`) is not seen here, and left to Chef.
 */
export async function cookbooksOf(read: ReadFile, list: ListFiles, source: ChefSource): Promise<Cookbook[]> {
  const homes = new Set(Object.values(source.single))
  for (const directory of source.cookbookPath) {
    for (const file of await list(directory)) {
      const [name, ...rest] = file.slice(directory.length + 1).split('/')
      if (name !== undefined && rest.length > 0) homes.add(posix.join(directory, name))
    }
  }
  return await Promise.all([...homes].map((home) => cookbookAt(read, home)))
}

async function cookbookAt(read: ReadFile, home: string): Promise<Cookbook> {
  const fallback = posix.basename(home)
  const json = await read(posix.join(home, 'metadata.json'))
  if (json !== null) {
    const path = posix.join(home, 'metadata.json')
    const { name, dependencies } = parsed(json.toString('utf8'))
    return { name: name ?? fallback, home, depends: Object.keys(dependencies).map((each) => ({ name: each, path })) }
  }
  const path = posix.join(home, 'metadata.rb')
  const lines = (await read(path))?.toString('utf8').split('\n') ?? []
  const depends = lines.flatMap((line, at) => {
    const found = /^\s*depends[\s(]+(['"])([\w-]+)\1/.exec(line)
    return found === null ? [] : [{ name: found[2]!, path, line: at + 1 }]
  })
  const name = lines.map((line) => /^\s*name[\s(]+(['"])([\w-]+)\1/.exec(line)?.[2]).find((each) => each !== undefined)
  return { name: name ?? fallback, home, depends }
}

function parsed(text: string): { name?: string; dependencies: object } {
  try {
    const { name, dependencies } = JSON.parse(text) as { name?: unknown; dependencies?: unknown }
    return {
      ...(typeof name === 'string' && { name }),
      dependencies: typeof dependencies === 'object' && dependencies !== null ? dependencies : {},
    }
  } catch {
    return { dependencies: {} }
  }
}
