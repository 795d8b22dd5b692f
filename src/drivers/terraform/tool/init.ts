import { randomBytes } from 'node:crypto'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ProcessSpec } from '../../../lib/process/supervise.ts'
import type { DriverContext } from '../../driver.ts'
import type { TerraformConfig } from '../config.ts'
import { toolError } from './diagnostics.ts'
import { initKey } from './init-key.ts'
import { restoreInit, saveInit } from './init-cache.ts'
import { insideWorkspace } from '../../paths/inside.ts'
import type { InitRequest } from './init-request.ts'

export const LOCK_FILE = '.terraform.lock.hcl'

/**
 * Makes the data directory ready for plan and apply: from the cache where lock file, providers, modules, backend and tool
 * are the same as at an earlier run of this stack (a plan of a small stack then saves the 35–45 ms of `init`, one with a
 * large provider about a second of checksums), otherwise by `init`. Done once per data directory.
 */
export async function initialise(context: DriverContext<TerraformConfig>, request: InitRequest): Promise<void> {
  const marker = join(request.dataDirectory, 'trueup-initialised')
  if (!request.fresh && (await readFile(marker).catch(() => null)) !== null) return
  if (request.fresh) await rm(request.dataDirectory, { recursive: true, force: true })
  await mkdir(request.dataDirectory, { recursive: true, mode: 0o700 })

  const lockPath = join(context.directory, LOCK_FILE)
  const lock = await readFile(lockPath, 'utf8').catch(() => null)
  const key = await initKey(context, request, lock)
  const restored = request.fresh ? 'nothing' : await restoreInit(context.cache, key.key, request.dataDirectory)
  if (restored === 'everything') {
    context.log('init: nothing changed since the last run, using its providers and modules')
  } else {
    await runInit(context, request)
    const lockWasMade = lock === null && (await readFile(lockPath).catch(() => null)) !== null
    if (lockWasMade) context.log(`init: no ${LOCK_FILE} is committed; provider versions may differ from run to run`)
    if (key.reusable && !lockWasMade) {
      const complete = request.backend.arguments.every((argument) => !argument.startsWith('-backend-config'))
      await saveInit(context.cache, key.key, request.dataDirectory, complete)
    }
  }
  await writeAtomically(marker, key.key)
}

async function runInit(context: DriverContext<TerraformConfig>, request: InitRequest): Promise<void> {
  const { pluginDir } = context.config
  const spec: ProcessSpec = {
    argv: [
      request.tool.path,
      'init',
      '-input=false',
      '-no-color',
      ...(pluginDir === undefined ? [] : [`-plugin-dir=${await insideWorkspace(context, pluginDir)}`]),
      ...request.backend.arguments,
    ],
    cwd: context.directory,
    env: { ...request.env, ...request.backend.env },
    graceMs: 5_000,
  }
  const result = await context.run(spec)
  if (result.exitCode === 0) return
  throw toolError(`preparing stack "${context.stack.name}" with ${request.tool.name} init`, result, [])
}

async function writeAtomically(path: string, text: string): Promise<void> {
  const temporary = `${path}.${randomBytes(4).toString('hex')}`
  await writeFile(temporary, text)
  await rename(temporary, path)
}
