import { posix } from 'node:path'
import { TrueupError } from '../../lib/errors/error.ts'
import type { ListFiles, ReadFile } from '../driver.ts'
import { isWithin, joinInside } from '../paths/inside.ts'
import type { ChefConfig } from './config.ts'
import { findSource } from './source/source.ts'

/** Paths outside the stack's directory that it is built from: cookbooks, roles, data bags, attributes, known hosts. */
export async function dependencies(
  read: ReadFile,
  list: ListFiles,
  path: string,
  config: ChefConfig,
): Promise<string[]> {
  const root = posix.normalize(path).replace(/\/$/, '')
  const named = [config.ssh.knownHosts, config.policyLock, config.attributesFile, config.roles, config.dataBags]
  const found = [...named, ...config.cookbooks]
    .filter((each) => each !== undefined)
    .map((each) => joinInside(root, each))
  const source = await findSource(read, list, path, config).catch((thrown: unknown) => {
    // What is missing is for `validate` and `plan` to say.
    if (thrown instanceof TrueupError && thrown.code === 'SOURCE_INVALID') return null
    throw thrown
  })
  if (source !== null) found.push(...Object.values(source.single))
  const outside: string[] = []
  for (const each of new Set(found)) {
    if (isWithin(root, each)) continue
    if ((await list(each)).length > 0 || (await read(each)) !== null) outside.push(each)
  }
  return outside.filter((each) => !outside.some((other) => other !== each && isWithin(other, each))).toSorted()
}
