import { cp, mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { parse } from 'yaml'
import { z } from 'zod'
import { digestOf } from '../../../lib/digest.ts'
import { TrueupError } from '../../../lib/errors/error.ts'
import type { DriverContext } from '../../driver.ts'
import type { Tool } from '../../tools/find-tool.ts'
import { checkEnded, lastWords } from '../../tools/verdict.ts'
import type { AnsibleConfig } from '../config.ts'
import { fileOfStack, isThere } from './paths.ts'
import { sibling } from '../tool/tool.ts'

/** Where Galaxy's own documents put the file. */
const USUAL = ['requirements.yml', 'requirements.yaml', 'collections/requirements.yml', 'roles/requirements.yml']

const Entry = z.union([z.string(), z.looseObject({ name: z.string().optional(), src: z.string().optional() })])
const Requirements = z.union([
  z.array(Entry).transform((roles) => ({ roles, collections: [] as z.infer<typeof Entry>[] })),
  z.looseObject({
    roles: z
      .array(Entry)
      .nullish()
      .transform((list) => list ?? []),
    collections: z
      .array(Entry)
      .nullish()
      .transform((list) => list ?? []),
  }),
])

/**
 * Installs what the requirements name and the repository does not have, into the stack's cache on this worker, once for
 * each content of the file. Gives the environment that lets Ansible find it, after what is in the repository.
 * TOOL_FAILED where Galaxy cannot be reached or has no such thing.
 */
export async function installRequirements(
  context: DriverContext<AnsibleConfig>,
  tool: Tool,
  env: { [name: string]: string },
  configuredPaths: { roles: string[]; collections: string[] },
): Promise<{ [name: string]: string }> {
  const file = await requirementsFile(context)
  if (file === null) return {}
  const text = await readFile(file, 'utf8')
  const missing = await missingFrom(context, file, text, configuredPaths)
  if (!missing.roles && !missing.collections) return {}
  const installed = join(context.cache, `galaxy-${digestOf([tool.version, text]).replace(/^\w+:/, '').slice(0, 24)}`)
  if (!(await isThere(installed))) await install(context, { tool, env, file, installed, missing })
  // Ansible's own places, which naming any of them replaces, are those of the worker and not wanted.
  return {
    ANSIBLE_ROLES_PATH: [join(context.directory, 'roles'), ...configuredPaths.roles, join(installed, 'roles')].join(
      delimiter,
    ),
    ANSIBLE_COLLECTIONS_PATH: [
      join(context.directory, 'collections'),
      ...configuredPaths.collections,
      join(installed, 'collections'),
    ].join(delimiter),
  }
}

async function requirementsFile(context: DriverContext<AnsibleConfig>): Promise<string | null> {
  const { requirements } = context.config
  if (requirements === false) return null
  if (requirements !== undefined) return fileOfStack(context, requirements)
  for (const name of USUAL) {
    const path = join(context.directory, name)
    if (await isThere(path)) return fileOfStack(context, name)
  }
  return null
}

async function missingFrom(
  context: DriverContext<unknown>,
  file: string,
  text: string,
  configured: { roles: string[]; collections: string[] },
): Promise<{ roles: boolean; collections: boolean }> {
  const parsed = Requirements.safeParse(readYaml(text))
  if (!parsed.success) {
    throw new TrueupError('SOURCE_INVALID', {
      doing: `reading ${file.replace(`${context.workspace}/`, '')}`,
      why: 'it is neither a list of roles nor a map with `roles` and `collections`',
    })
  }
  const isHere = async (places: string[], names: (string | undefined)[]): Promise<boolean> => {
    for (const name of names) {
      if (name === undefined) return false
      const found = await Promise.all(places.map((place) => isThere(join(place, name))))
      if (!found.includes(true)) return false
    }
    return true
  }
  const roles = parsed.data.roles.map((role) => (typeof role === 'string' ? role : (role.name ?? role.src)))
  const collections = parsed.data.collections
    .map((each) => (typeof each === 'string' ? each : each.name))
    .map((name) => (name !== undefined && /^\w+\.\w+$/.test(name) ? name.replace('.', '/') : undefined))
  const roots = [join(context.directory, 'collections'), ...configured.collections]
  return {
    roles: !(await isHere([join(context.directory, 'roles'), ...configured.roles], roles)),
    collections: !(await isHere(
      roots.map((root) => join(root, 'ansible_collections')),
      collections,
    )),
  }
}

function readYaml(text: string): unknown {
  try {
    return parse(text, { logLevel: 'silent' })
  } catch {
    return undefined
  }
}

interface Installation {
  tool: Tool
  env: { [name: string]: string }
  file: string
  installed: string
  missing: { roles: boolean; collections: boolean }
}

/** Into a directory of its own first, so that nobody finds half of it. */
async function install(
  context: DriverContext<unknown>,
  { tool, env, file, installed, missing }: Installation,
): Promise<void> {
  const work = await mkdtemp(join(context.scratch, 'galaxy-'))
  for (const kind of ['role', 'collection'] as const) {
    await mkdir(join(work, `${kind}s`))
    if (!missing[`${kind}s`]) continue
    const doing = `installing the ${kind}s that stack "${context.stack.name}" requires`
    context.log(doing)
    const result = await context.run({
      argv: [sibling(tool, 'ansible-galaxy'), kind, 'install', '-r', file, '-p', join(work, `${kind}s`)],
      cwd: context.directory,
      env,
      timeoutMs: 600_000,
    })
    checkEnded(doing, result)
    if (result.exitCode === 0) continue
    throw new TrueupError('TOOL_FAILED', {
      doing,
      why:
        /(?:^|\n)(?:ERROR! |\[ERROR\]: )([^]*)/.exec(result.stderr)?.[1]?.trim().slice(0, 2_000) ?? lastWords(result),
      next: `Give the worker a way to Galaxy, or commit what is required: ansible-galaxy ${kind} install -r requirements.yml -p ${kind}s`,
    })
  }
  await mkdir(context.cache, { recursive: true })
  await rename(work, installed).catch(async () => {
    // Another run was faster, or the cache lies on another file system.
    if (!(await isThere(installed))) await cp(work, installed, { recursive: true })
    await rm(work, { recursive: true, force: true })
  })
}
