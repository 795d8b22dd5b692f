import { access, mkdir, readdir, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DriverContext } from '../../driver.ts'
import type { TerraformConfig } from '../config.ts'
import { insideWorkspace } from '../../paths/inside.ts'

/**
 * Variables that would change what Trueup's own arguments mean, or share a directory between runs that no two
 * processes may use at once (Terraform's plugin cache is not safe for concurrent `init`).
 */
const NEVER_PASSED = /^(TF_CLI_ARGS.*|TF_DATA_DIR|TF_WORKSPACE|TF_PLUGIN_CACHE_DIR|TF_LOG.*|TF_INPUT|TF_IN_AUTOMATION)$/

/** Providers listen on sockets in TMPDIR, and the kernel allows 108 bytes for a socket's path. */
const MAX_TMPDIR_BYTES = 80

/**
 * The environment of every call: what the run was given, without the variables above, with automation switched on and
 * a CLI configuration that exists (the tool complains on every command about one that does not).
 * @param dataDirectory where the tool keeps providers, modules and the choice of backend (TF_DATA_DIR).
 */
export async function toolEnvironment(
  context: DriverContext<TerraformConfig>,
  dataDirectory: string,
): Promise<{ [name: string]: string }> {
  const given = Object.entries(context.env).filter(([name]) => !NEVER_PASSED.test(name))
  return {
    ...Object.fromEntries(given),
    HOME: context.scratch,
    ...(Buffer.byteLength(context.env.TMPDIR ?? '') > MAX_TMPDIR_BYTES && { TMPDIR: tmpdir() }),
    TF_IN_AUTOMATION: '1',
    TF_INPUT: '0',
    CHECKPOINT_DISABLE: '1',
    TF_DATA_DIR: dataDirectory,
    TF_CLI_CONFIG_FILE: await cliConfiguration(context),
  }
}

/** The repository's own file, the worker's, one made from TF_PLUGIN_MIRROR, or an empty one: always a file that exists. */
async function cliConfiguration(context: DriverContext<TerraformConfig>): Promise<string> {
  if (context.config.cliConfig !== undefined) return insideWorkspace(context, context.config.cliConfig)
  const operators = context.env.TF_CLI_CONFIG_FILE
  if (operators !== undefined && (await exists(operators))) return operators
  const mirror = context.env.TF_PLUGIN_MIRROR
  const file = join(context.scratch, 'cli.tfrc')
  await mkdir(context.scratch, { recursive: true, mode: 0o700 })
  await writeFile(file, mirror === undefined ? '' : await mirrorConfiguration(mirror), { mode: 0o600 })
  return file
}

/** What the mirror holds comes from the mirror only; `direct` is left for everything else. */
async function mirrorConfiguration(mirror: string): Promise<string> {
  const patterns: string[] = []
  for (const host of await directories(mirror)) {
    for (const namespace of await directories(join(mirror, host))) patterns.push(`${host}/${namespace}/*`)
  }
  const list = JSON.stringify(patterns)
  return `provider_installation {
  filesystem_mirror {
    path    = ${JSON.stringify(mirror)}
    include = ${list}
  }
  direct {
    exclude = ${list}
  }
}
`
}

async function directories(path: string): Promise<string[]> {
  const entries = await readdir(path, { withFileTypes: true }).catch(() => [])
  return entries.filter((entry) => !entry.isFile()).map((entry) => entry.name)
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
