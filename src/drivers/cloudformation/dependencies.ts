import { posix } from 'node:path'
import { TrueupError } from '../../lib/errors/error.ts'
import type { ListFiles, ReadFile } from '../driver.ts'
import type { CloudFormationConfig } from './config.ts'
import { joinInside } from '../paths/inside.ts'
import { localReferences } from './source/local-references.ts'
import { DEFAULT_TEMPLATES } from './source/read.ts'
import { parseTemplate } from './template/parse.ts'

/**
 * What the stack is built from beyond its directory: parameter files and policies that lie elsewhere, nested templates,
 * and the code that the templates name. A template that cannot be read depends on nothing; validating says why.
 */
export async function dependencies(
  read: ReadFile,
  list: ListFiles,
  path: string,
  config: CloudFormationConfig,
): Promise<string[]> {
  const found = new Set<string>()
  for (const file of [...config.parameterFiles, ...(config.stackPolicy ? [config.stackPolicy] : [])])
    found.add(joinInside(path, file))
  const names = config.template === undefined ? DEFAULT_TEMPLATES : [config.template]
  for (const name of names) {
    const template = joinInside(path, name)
    if ((await read(template)) === null) continue
    await follow(template, { read, list, found, seen: new Set() })
    break
  }
  const outside = [...found].filter((one) => path !== '.' && path !== '' && one !== path && !one.startsWith(`${path}/`))
  return outside.filter((one) => !outside.some((other) => other !== one && one.startsWith(`${other}/`))).toSorted()
}

interface Walk {
  read: ReadFile
  list: ListFiles
  found: Set<string>
  seen: Set<string>
}

async function follow(template: string, walk: Walk): Promise<void> {
  if (walk.seen.has(template)) return
  walk.seen.add(template)
  walk.found.add(template)
  const text = (await walk.read(template))?.toString('utf8')
  if (text === undefined) return
  for (const { local, kind } of referencesIn(text, template)) {
    const path = joinInside(posix.dirname(template), local)
    if (kind === 'template') await follow(path, walk)
    else if ((await walk.read(path)) !== null || (await walk.list(path)).length > 0) walk.found.add(path)
  }
}

function referencesIn(text: string, path: string): ReturnType<typeof localReferences> {
  try {
    return localReferences(parseTemplate(text, path).value)
  } catch (thrown) {
    if (thrown instanceof TrueupError && thrown.code === 'SOURCE_INVALID') return []
    throw thrown
  }
}
