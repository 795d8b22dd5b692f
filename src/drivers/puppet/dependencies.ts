import { posix } from 'node:path'
import { parse } from 'yaml'
import { z } from 'zod'
import { TrueupError } from '../../lib/errors/error.ts'
import type { ListFiles, ReadFile } from '../driver.ts'
import { isWithin, joinInside, withoutCovered } from '../paths/inside.ts'
import type { PuppetConfig } from './config.ts'
import { findSource } from './source/source.ts'

const Hiera = z.looseObject({
  defaults: z.looseObject({ datadir: z.string().optional() }).nullish(),
  hierarchy: z.array(z.looseObject({ datadir: z.string().optional() })).nullish(),
})

/** Paths outside the stack's directory that it is built from: modules, manifests, Hiera's file and its data, known hosts. */
export async function dependencies(
  read: ReadFile,
  list: ListFiles,
  path: string,
  config: PuppetConfig,
): Promise<string[]> {
  const root = posix.normalize(path).replace(/\/$/, '')
  const found = [config.ssh.knownHosts, config.manifest, config.hiera, ...(config.modulepath ?? [])]
    .filter((named) => named !== undefined)
    .map((named) => joinInside(root, named))
  const source = await findSource(read, list, path, config).catch((thrown: unknown) => {
    // What is missing is for `validate` and `plan` to say.
    if (thrown instanceof TrueupError && thrown.code === 'SOURCE_INVALID') return null
    throw thrown
  })
  if (source !== null) {
    found.push(source.manifest, ...source.modulepath)
    if (source.hiera !== null) found.push(...(await dataOf(read, source.hiera)))
  }
  return withoutCovered([...found].filter((each) => !isWithin(root, each)))
}

/** Directories of data that a hiera.yaml names: relative to it, up to the first interpolation. */
async function dataOf(read: ReadFile, hiera: string): Promise<string[]> {
  const directory = posix.dirname(hiera)
  const text = (await read(hiera))?.toString('utf8') ?? ''
  const parsed = Hiera.safeParse(safely(text)).data
  const named = [parsed?.defaults?.datadir, ...(parsed?.hierarchy ?? []).map(({ datadir }) => datadir)]
  return [...named, 'data']
    .filter((each) => each !== undefined)
    .filter((each) => !posix.isAbsolute(each))
    .map((each) => joinInside(directory, literalStart(each)))
}

/** `data/%{environment}` can be anything below `data`. */
function literalStart(path: string): string {
  const at = path.indexOf('%{')
  return at === -1 ? path : posix.dirname(`${path.slice(0, at)}x`)
}

function safely(text: string): unknown {
  try {
    return parse(text)
  } catch {
    return null
  }
}
