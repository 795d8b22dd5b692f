import { readFile } from 'node:fs/promises'
import { isAbsolute, join, posix } from 'node:path'
import { z } from 'zod'
import type { Place } from '../../domain/plans/place.ts'
import type { DriverContext, PlaceSource } from '../driver.ts'
import { ownHost, realPathOf } from '../hosts/own-host.ts'
import { mountedPath } from '../hosts/real-path.ts'
import { joinInside } from '../paths/inside.ts'
import type { TerraformConfig } from './config.ts'
import { readModule, readSettings, sourceFiles, sourcePaths } from './source/blocks.ts'
import { referencesIn } from './source/references.ts'

/**
 * Settings that make the address of a state, by backend; all of them must be plain values. Those that may be absent end
 * with a question mark. https://developer.hashicorp.com/terraform/language/backend
 */
const ADDRESS: { [backend: string]: readonly string[] } = {
  local: ['path', 'workspace_dir?'],
  s3: ['bucket', 'key', 'workspace_key_prefix?', 'endpoint?'],
  gcs: ['bucket', 'prefix?'],
  azurerm: ['storage_account_name', 'container_name', 'key'],
  http: ['address'],
  consul: ['address?', 'path'],
  pg: ['conn_str', 'schema_name?'],
  kubernetes: ['secret_suffix', 'namespace?', 'host?', 'config_path?', 'config_context?'],
  cloud: ['hostname?', 'organization', 'workspaces'],
  remote: ['hostname?', 'organization', 'workspaces'],
  cos: ['bucket', 'prefix?', 'key?', 'region?'],
  oss: ['bucket', 'prefix?', 'key?', 'endpoint?', 'region?'],
}
/** These may hold a login, which is no part of the address. */
const WITH_LOGIN: readonly string[] = ['conn_str', 'address', 'host', 'endpoint']

type Settings = { [name: string]: unknown }

/**
 * The state that the code's own backend names, with its workspace. Trueup's backend keeps one for each stack, so there is
 * nothing to share. Null also where the settings are not all plain values.
 */
export async function place(source: PlaceSource<TerraformConfig>): Promise<Place | null> {
  const { config, read, list, path, variables } = source
  const root = posix.normalize(path).replace(/\/$/, '')
  const paths = await sourcePaths(list, root)
  const found = await Promise.all(paths.map((file) => referencesIn(read, file)))
  if (!found.some((references) => references.backend)) return null
  const { backend, backendSettings } = await readModule(await sourceFiles(read, list, root))
  if (backend === null || variables.TF_CLI_ARGS_init !== undefined) return null
  const settings: Settings = { ...backendSettings }
  for (const file of config.backendConfigFiles) {
    const text = await read(joinInside(path, file, 'the settings of the stack'))
    Object.assign(settings, text === null ? {} : await readSettings(file, text.toString('utf8')))
  }
  Object.assign(settings, config.backendConfig)
  const address = addressOf(backend, settings, source)
  if (address === null) return null
  const workspace = config.workspace ?? variables.TF_WORKSPACE ?? 'default'
  return { address: `terraform:${backend} ${address} workspace=${workspace}` }
}

/** Variables that give a setting of a backend which the code leaves open. */
const FROM_ENVIRONMENT: { [backend: string]: { [setting: string]: string } } = {
  http: { address: 'TF_HTTP_ADDRESS' },
  pg: { conn_str: 'PG_CONN_STR', schema_name: 'PG_SCHEMA_NAME' },
  consul: { address: 'CONSUL_HTTP_ADDR' },
}

const Initialised = z.object({ backend: z.object({ type: z.string(), config: z.record(z.string(), z.unknown()) }) })

/**
 * The state that a run uses, as `init` has resolved it: with variables, files and arguments in it. A file of the machine by
 * what its path leads to. Empty where Trueup keeps the state.
 */
export async function resolvedPlaces(
  context: DriverContext<TerraformConfig>,
  { backend, dataDirectory }: { backend: { kind: string }; dataDirectory: string },
): Promise<Place[]> {
  if (backend.kind !== 'own') return []
  const text = await readFile(join(dataDirectory, 'terraform.tfstate'), 'utf8').catch(() => 'null')
  const { data } = Initialised.safeParse(JSON.parse(text))
  if (data === undefined) return []
  const { type, config } = data.backend
  const open = Object.entries(FROM_ENVIRONMENT[type] ?? {}).map(([name, variable]) => [name, context.env[variable]])
  const settings: Settings = Object.fromEntries([
    ...open,
    ...Object.entries(config).filter(([, value]) => value !== null && value !== ''),
  ])
  const workspace = context.config.workspace ?? context.env.TF_WORKSPACE ?? 'default'
  if (type === 'local') return fileOf(settings, workspace)
  const address = addressOf(type, settings, { pool: '' })
  return address === null ? [] : [{ address: `terraform:${type} ${address} workspace=${workspace}` }]
}

/** https://developer.hashicorp.com/terraform/language/backend/local: another workspace has a directory of its own. */
function fileOf({ path, workspace_dir: directory }: Settings, workspace: string): Place[] {
  const inside = typeof directory === 'string' ? join(directory, workspace, 'terraform.tfstate') : undefined
  const file = workspace === 'default' ? path : inside
  if (typeof file !== 'string' || !isAbsolute(file)) return []
  const { id, mounts } = ownHost()
  return [{ address: `state:${id}:${mountedPath(mounts, realPathOf(file))}` }]
}

function addressOf(
  backend: string,
  settings: Settings,
  { pool }: Pick<PlaceSource<TerraformConfig>, 'pool'>,
): string | null {
  const parts: string[] = []
  for (const named of ADDRESS[backend] ?? []) {
    const name = named.replace('?', '')
    const value = settings[name]
    if (value === undefined || value === null) {
      if (named.endsWith('?')) continue
      return null
    }
    const text = typeof value === 'string' ? value : JSON.stringify(value)
    if (text.includes('${')) return null
    parts.push(`${name}=${WITH_LOGIN.includes(name) ? withoutLogin(text) : text}`)
  }
  if (parts.length === 0) return null
  if (backend !== 'local') return parts.join(' ')
  // A relative one is a file of the run, which Trueup keeps the state instead of.
  const file = String(settings.path)
  return isAbsolute(file) ? `pool=${pool} path=${posix.resolve(file)}` : null
}

/** Host and path of a URL; of a connection string of words all but user and password. */
function withoutLogin(text: string): string {
  if (URL.canParse(text)) {
    const { protocol, host, pathname } = new URL(text)
    return `${protocol}//${host}${pathname}`
  }
  return text.replaceAll(/\b(user|password)\s*=\s*('[^']*'|\S+)\s*/g, '').trim()
}
