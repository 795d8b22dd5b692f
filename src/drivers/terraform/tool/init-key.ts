import { readFile } from 'node:fs/promises'
import { posix } from 'node:path'
import { digestOf } from '../../../lib/digest.ts'
import type { DriverContext } from '../../driver.ts'
import type { TerraformConfig } from '../config.ts'
import type { InitRequest } from './init-request.ts'
import { joinInside } from '../../paths/inside.ts'
import { type ModuleCall, type ModuleSource, readModule, sourceFiles } from '../source/blocks.ts'
import { workspaceFiles } from '../source/workspace-files.ts'

export interface InitKey {
  key: string
  /** False where the same code may fetch something else tomorrow: a remote module that is not pinned. */
  reusable: boolean
}

/** Everything that decides what `init` puts into its data directory. */
export async function initKey(
  context: DriverContext<TerraformConfig>,
  request: Pick<InitRequest, 'tool' | 'env' | 'backend'>,
  lock: string | null,
): Promise<InitKey> {
  const modules = await moduleTree(context)
  const calls = modules.flatMap(({ source, directory }) => source.modules.map((call) => ({ directory, ...call })))
  const key = digestOf({
    tool: [request.tool.name, request.tool.version, process.platform, process.arch],
    lock,
    calls,
    settings: modules.map(({ directory, source }) => [directory, source.settings]),
    providers: modules.map(({ source }) => impliedProviders(source)),
    broken: modules.flatMap(({ source }) => (source.broken.length > 0 ? source.files : [])),
    backend: [request.backend.kind, request.backend.override, request.backend.arguments],
    workspace: request.backend.env.TF_WORKSPACE ?? null,
    pluginDir: context.config.pluginDir ?? null,
    cliConfig: await readFile(request.env.TF_CLI_CONFIG_FILE ?? '', 'utf8').catch(() => ''),
  })
  return { key: key.replace('sha256:', '').slice(0, 32), reusable: calls.every(isPinned) }
}

/** The root module and all local modules below it, each once. */
async function moduleTree(
  context: DriverContext<TerraformConfig>,
): Promise<{ directory: string; source: ModuleSource }[]> {
  const { read, list } = workspaceFiles(context.workspace)
  const found = new Map<string, ModuleSource>()
  const visit = async (directory: string): Promise<void> => {
    if (found.has(directory)) return
    const source = await readModule(await sourceFiles(read, list, directory))
    found.set(directory, source)
    for (const call of source.modules) {
      if (isLocal(call)) await visit(joinInside(directory, call.source, `module "${call.name}" in ${directory}`))
    }
  }
  await visit(posix.normalize(context.stack.path))
  return [...found].map(([directory, source]) => ({ directory, source }))
}

/** Local names of providers: the first word of every resource type, and of `provider` blocks. */
function impliedProviders(source: ModuleSource): string[] {
  const names = new Set<string>()
  for (const { text } of source.files) {
    for (const match of text.matchAll(/^\s*(?:resource|data|ephemeral|provider)\s+"([a-z0-9-]+)/gim)) {
      names.add(match[1] ?? '')
    }
  }
  for (const { type } of source.resources) names.add(type.split('_')[0] ?? type)
  return [...names].toSorted()
}

const isLocal = (call: ModuleCall): call is ModuleCall & { source: string } =>
  call.source !== null && /^\.\.?\//.test(call.source)

/** Local, an exact registry version, or a Git ref that looks like a tag or is a whole commit id. */
function isPinned(call: ModuleCall): boolean {
  if (isLocal(call)) return true
  if (call.source === null) return false
  if (call.version !== null) return /^=?\s*v?\d+\.\d+\.\d+$/.test(call.version)
  return /[?&]ref=(?:[0-9a-f]{40}|v?\d+(?:\.\d+)+)(?:&|$)/.test(call.source)
}
