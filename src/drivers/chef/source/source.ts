import { posix } from 'node:path'
import { TrueupError } from '../../../lib/errors/error.ts'
import type { Json, JsonObject } from '../../../lib/json.ts'
import type { ListFiles, ReadFile } from '../../driver.ts'
import { joinInside } from '../../paths/inside.ts'
import type { ChefConfig } from '../config.ts'
import { parsePolicyLock, type PolicyLock } from './policy.ts'

/** What a stack consists of; paths from the repository's root. */
export interface ChefSource {
  runList: string[]
  /** Directories of cookbooks that are there. */
  cookbookPath: string[]
  /** Cookbooks that a Policyfile takes from elsewhere in the repository, by name. */
  single: { [name: string]: string }
  roles: string | null
  dataBags: string | null
  attributes: JsonObject
  policy: PolicyLock | null
}

/**
 * Finds run list, cookbooks and attributes: from the stack's settings and, where there is one, the lock of its Policyfile.
 * @throws SOURCE_INVALID where there is no run list, a cookbook is not in the repository, or a file cannot be read;
 * PATH_OUTSIDE
 */
export async function findSource(
  read: ReadFile,
  list: ListFiles,
  path: string,
  config: ChefConfig,
): Promise<ChefSource> {
  const root = posix.normalize(path).replace(/\/$/, '')
  const present = async (directory: string): Promise<string | null> => {
    const at = joinInside(root, directory)
    return (await list(at)).length > 0 ? at : null
  }
  const cookbookPath = (await Promise.all(config.cookbooks.map(present))).filter((each) => each !== null)
  const lockPath = joinInside(root, config.policyLock ?? 'Policyfile.lock.json')
  const lock = await read(lockPath)
  if (lock === null && (config.policyLock !== undefined || (await read(posix.join(root, 'Policyfile.rb'))) !== null)) {
    throw invalid(lockPath, 'there is no lock of the Policyfile', 'Run `chef install` and commit Policyfile.lock.json.')
  }
  const policy = lock === null ? null : parsePolicyLock(lock.toString('utf8'), lockPath)
  const runList = config.runList ?? policy?.run_list
  if (runList === undefined) {
    throw invalid(root, 'it has no run list', 'Name one with `runList:`, or commit a Policyfile.lock.json.')
  }
  return {
    runList,
    cookbookPath,
    single: policy === null ? {} : await policyCookbooks(list, { policy, lockPath, cookbookPath }),
    roles: await present(config.roles),
    dataBags: await present(config.dataBags),
    attributes: await attributesOf(read, root, config, policy),
    policy,
  }
}

interface Locked {
  policy: PolicyLock
  lockPath: string
  cookbookPath: string[]
}

/** Cookbooks of a policy come from the repository only: what a run gets must be what was reviewed. */
async function policyCookbooks(
  list: ListFiles,
  { policy, lockPath, cookbookPath }: Locked,
): Promise<{ [name: string]: string }> {
  const single: { [name: string]: string } = {}
  for (const [name, { source, version }] of Object.entries(policy.cookbook_locks)) {
    const candidates = cookbookPath.map((directory) => posix.join(directory, name))
    const vendored = await Promise.all(candidates.map(async (directory) => (await list(directory)).length > 0))
    if (vendored.includes(true)) continue
    const local = source === null || source === undefined ? null : joinInside(posix.dirname(lockPath), source)
    if (local === null || (await list(local)).length === 0) {
      throw invalid(
        lockPath,
        `cookbook ${name} ${version} is not in the repository`,
        `Put it into one of the stack's cookbook directories: \`chef export\` writes all of a policy into "cookbook_artifacts", \`berks vendor\` into a directory of your choice.`,
      )
    }
    single[name] = local
  }
  return single
}

async function attributesOf(
  read: ReadFile,
  root: string,
  config: ChefConfig,
  policy: PolicyLock | null,
): Promise<JsonObject> {
  const file = config.attributesFile === undefined ? null : joinInside(root, config.attributesFile)
  const text = file === null ? null : await read(file)
  if (file !== null && text === null) throw invalid(file, 'there is no such file', 'Commit it, or correct the path.')
  const policyAttributes = merged(
    (policy?.default_attributes ?? {}) as JsonObject,
    (policy?.override_attributes ?? {}) as JsonObject,
  )
  const fromFile = file === null ? {} : parseObject(text!.toString('utf8'), file)
  return merged(merged(policyAttributes, fromFile), config.attributes as JsonObject)
}

function parseObject(text: string, path: string): JsonObject {
  try {
    const value = JSON.parse(text) as Json
    if (value !== null && typeof value === 'object' && !Array.isArray(value)) return value
  } catch {
    // Said below.
  }
  throw invalid(path, 'it is not one JSON object', 'Correct it.')
}

/** Chef merges attributes of hashes deep, and replaces everything else. */
export function merged(low: JsonObject, high: JsonObject): JsonObject {
  const result: JsonObject = { ...low }
  for (const [key, value] of Object.entries(high)) {
    const under = result[key]
    result[key] = isObject(under) && isObject(value) ? merged(under, value) : value
  }
  return result
}

const isObject = (value: Json | undefined): value is JsonObject =>
  value !== null && typeof value === 'object' && !Array.isArray(value)

const invalid = (path: string, why: string, next: string): TrueupError =>
  new TrueupError('SOURCE_INVALID', { doing: `reading the Chef stack ${path}`, why, next, details: { file: path } })
