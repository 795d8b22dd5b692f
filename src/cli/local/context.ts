import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import type { Phase, ResolvedInput } from '../../domain/stacks/stack.ts'
import type { DriverContext } from '../../drivers/driver.ts'
import { digestOf, keyedHash } from '../../lib/digest.ts'
import { runProcess } from '../../lib/process/run.ts'
import { signalUnder } from '../../lib/process/supervise.ts'
import { createMasker } from '../../worker/runs/masking.ts'
import { decryptTree } from '../../worker/sops/decrypt-tree.ts'
import { sealing } from '../../worker/runs/sealing.ts'
import type { LocalStack } from './stacks.ts'
import type { WorkingTree } from './working-tree.ts'

export interface LocalContextOptions {
  tree: WorkingTree
  stack: LocalStack
  inputs: { [name: string]: ResolvedInput }
  phase: Phase
  env: NodeJS.ProcessEnv
  signal: AbortSignal
  log(line: string): void
}

export interface LocalContext {
  context: DriverContext<unknown>
  /** Removes what was copied and made. */
  remove(): Promise<void>
}

/**
 * A driver's context on a private copy of the working tree. Tools see the caller's own environment, since on a person's
 * machine the credentials are theirs; nothing is written into the working tree.
 */
export async function localContext(options: LocalContextOptions): Promise<LocalContext> {
  const { tree, stack, env, signal } = options
  const { definition, driver, config } = stack
  const root = await mkdtemp(join(tmpdir(), 'trueup-local-'))
  const remove = (): Promise<void> => rm(root, { recursive: true, force: true, maxRetries: 3 })
  try {
    const [workspace, scratch] = [join(root, 'tree'), join(root, 'scratch')]
    await mkdir(scratch, { mode: 0o700 })
    const needed = await driver.dependencies(tree.read, tree.list, definition.path, config)
    await mkdir(join(workspace, definition.path), { recursive: true })
    await tree.copy([definition.path, ...needed, ...tree.matching(definition.watch)], workspace)
    const masker = createMasker()
    const log = (line: string): void => options.log(masker.text(line))
    // Without a key what is encrypted stays so: much can be looked at all the same.
    if (definition.sops && (env.SOPS_AGE_KEY_FILE || env.SOPS_AGE_KEY))
      await decryptTree(workspace, { env, hide: masker.add })
    const seals = sealing(randomBytes(32).toString('base64'))
    const hashKey = randomBytes(32)
    const cache = await cacheOf(env, tree.root, definition.key)
    const repository = basename(tree.root)
    const { environment, name, path } = definition
    const context: DriverContext<unknown> = {
      stack: { id: definition.key, repository, environment, name, path },
      config,
      destroy: false,
      phase: options.phase,
      workspace,
      directory: join(workspace, path),
      scratch,
      cache,
      env: {
        ...Object.fromEntries(Object.entries(env).filter((pair): pair is [string, string] => pair[1] !== undefined)),
        ...definition.variables,
        TRUEUP_REPOSITORY: repository,
        TRUEUP_ENVIRONMENT: environment,
        TRUEUP_STACK: name,
        TRUEUP_PHASE: options.phase,
      },
      inputs: options.inputs,
      ignore: definition.ignore,
      ...(definition.toolVersion !== undefined && { toolVersion: definition.toolVersion }),
      signal,
      hash: (value) => keyedHash(hashKey, value),
      mask: (secret) => masker.add(secret),
      log,
      seal: seals.seal,
      open: seals.open,
      run: (spec) =>
        runProcess({
          timeoutMs: definition.timeoutMs,
          ...spec,
          ...signalUnder(spec, signal),
          onLine: (line, stream) => {
            if (!spec.quiet) log(line)
            spec.onLine?.(line, stream)
          },
        }),
    }
    return { context, remove }
  } catch (error) {
    await remove()
    throw error
  }
}

/** Survives calls, so that providers are not fetched each time. */
async function cacheOf(env: NodeJS.ProcessEnv, root: string, key: string): Promise<string> {
  const base = env.XDG_CACHE_HOME || join(env.HOME || homedir(), '.cache')
  const directory = join(base, 'trueup', digestOf({ root, key }).slice('sha256:'.length, 'sha256:'.length + 24))
  await mkdir(directory, { recursive: true, mode: 0o700 })
  return directory
}
