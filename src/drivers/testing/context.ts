import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import type { Phase, ResolvedInput } from '../../domain/stacks/stack.ts'
import { keyedHash } from '../../lib/digest.ts'
import { runProcess } from '../../lib/process/run.ts'
import { signalUnder } from '../../lib/process/supervise.ts'
import type { DriverContext, ListFiles, ReadFile } from '../driver.ts'

/** One file of the pretended repository: text, bytes, or an object for modes and symbolic links. */
export type SourceFile = string | Buffer | { content: string | Buffer; mode?: number } | { link: string }

export interface TestContextOptions<Config> {
  /** The parsed configuration, or a function of the context's `root` that gives it. */
  config: Config | ((root: string) => Config)
  /** Files of the repository by path from its root. */
  files?: { [path: string]: SourceFile }
  /** Path of the stack in the repository; default `stack`. */
  path?: string
  name?: string
  environment?: string
  destroy?: boolean
  phase?: Phase
  inputs?: { [name: string]: ResolvedInput }
  ignore?: DriverContext<Config>['ignore']
  toolVersion?: string
  stateBackend?: DriverContext<Config>['stateBackend']
  /** Added to a clean environment of PATH, HOME (= scratch), LANG and TZ; or a function of the context's `root` that gives it. */
  env?: { [name: string]: string } | ((root: string) => { [name: string]: string })
}

/** A DriverContext on real directories and real processes, with what a test wants to look at. */
export interface TestContext<Config> extends DriverContext<Config> {
  /** The temporary directory that holds workspace, scratch and cache. */
  root: string
  /** Every line that was logged, secrets masked. */
  lines: string[]
  /** Secrets that were registered by `mask`. */
  masked: Set<string>
  /** Cancels the run, as a person or a lost lease would. */
  cancel(): void
  /** Puts further files into the workspace; `null` removes one. */
  write(files: { [path: string]: SourceFile | null }): Promise<void>
  /** The same worker and stack in a later run: fresh scratch, same workspace and cache; members may be replaced. */
  next<Other = Config>(changes?: Partial<DriverContext<Other>>): Promise<TestContext<Other>>
  /** The repository as the server reads it, for `detect` and `dependencies`. */
  read: ReadFile
  list: ListFiles
  /** Removes everything under `root`. */
  remove(): Promise<void>
}

/**
 * Builds a real context for driver tests: `const context = await testContext({ config, files })`, and
 * `await context.remove()` afterwards. Processes run for real, `seal` is AES-256-GCM, `hash` a keyed hash.
 */
export async function testContext<Config>(options: TestContextOptions<Config>): Promise<TestContext<Config>> {
  const root = await mkdtemp(join(tmpdir(), 'trueup-driver-'))
  const workspace = join(root, 'workspace')
  const path = options.path ?? 'stack'
  const directory = join(workspace, path)
  const cache = join(root, 'cache')
  await mkdir(directory, { recursive: true })
  await mkdir(cache, { recursive: true, mode: 0o700 })
  await writeFiles(workspace, options.files ?? {})

  const environment = options.environment ?? 'staging'
  const name = options.name ?? path
  const hashKey = randomBytes(32)
  const sealKey = randomBytes(32)
  const masked = new Set<string>()
  const env = typeof options.env === 'function' ? options.env(root) : options.env

  const build = async <C>(config: C, changes: Partial<DriverContext<C>>): Promise<TestContext<C>> => {
    const scratch = await mkdtemp(join(root, 'scratch-'))
    const lines: string[] = []
    const cancellation = new AbortController()
    const context: TestContext<C> = {
      stack: { id: 'stk_test', repository: 'test', environment, name, path },
      config,
      destroy: options.destroy ?? false,
      phase: options.phase ?? 'apply',
      workspace,
      directory,
      scratch,
      cache,
      env: {
        PATH: process.env.PATH ?? '/usr/local/bin:/usr/bin:/bin',
        HOME: scratch,
        TMPDIR: scratch,
        LANG: 'C.UTF-8',
        TZ: 'UTC',
        ...env,
      },
      inputs: options.inputs ?? {},
      ignore: options.ignore ?? [],
      toolVersion: options.toolVersion,
      stateBackend: options.stateBackend,
      signal: cancellation.signal,
      hash: (value) => keyedHash(hashKey, value),
      mask: (secret) => void masked.add(secret),
      log: (line) => void lines.push(maskAll(line, masked)),
      seal: (plain) => seal(sealKey, plain),
      open: (sealed) => open(sealKey, sealed),
      run: (spec) =>
        runProcess({
          ...spec,
          ...signalUnder(spec, cancellation.signal),
          onLine: (line, stream) => {
            if (!spec.quiet) lines.push(maskAll(line, masked))
            spec.onLine?.(line, stream)
          },
        }),
      ...changes,
      root,
      lines,
      masked,
      cancel: () => cancellation.abort(),
      write: (files) => writeFiles(workspace, files),
      next: (later) => build((later?.config ?? config) as never, (later ?? {}) as never),
      read: (file) => readFile(join(workspace, file)).catch(() => null),
      list: (folder) => listFiles(workspace, folder),
      remove: () => rm(root, { recursive: true, force: true }),
    }
    return context
  }
  const { config } = options
  return build(isFunction(config) ? config(root) : config, {})
}

const isFunction = <C>(config: C | ((root: string) => C)): config is (root: string) => C => typeof config === 'function'

async function writeFiles(root: string, files: { [path: string]: SourceFile | null }): Promise<void> {
  for (const [path, file] of Object.entries(files)) {
    const absolute = join(root, path)
    await rm(absolute, { recursive: true, force: true })
    if (file === null) continue
    await mkdir(dirname(absolute), { recursive: true })
    if (typeof file === 'string' || Buffer.isBuffer(file)) await writeFile(absolute, file)
    else if ('link' in file) await symlink(file.link, absolute)
    else {
      await writeFile(absolute, file.content)
      if (file.mode !== undefined) await chmod(absolute, file.mode)
    }
  }
}

async function listFiles(workspace: string, folder: string): Promise<string[]> {
  const entries = await readdir(join(workspace, folder), { recursive: true, withFileTypes: true }).catch(() => [])
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(workspace, join(entry.parentPath, entry.name)))
    .sort()
}

function maskAll(line: string, secrets: Set<string>): string {
  let text = line
  for (const secret of secrets) if (secret !== '') text = text.replaceAll(secret, '***')
  return text
}

function seal(key: Buffer, plain: Buffer): Buffer {
  const nonce = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', key, nonce)
  const body = Buffer.concat([cipher.update(plain), cipher.final()])
  return Buffer.concat([nonce, cipher.getAuthTag(), body])
}

function open(key: Buffer, sealed: Buffer): Buffer {
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, 12))
  decipher.setAuthTag(sealed.subarray(12, 28))
  return Buffer.concat([decipher.update(sealed.subarray(28)), decipher.final()])
}
