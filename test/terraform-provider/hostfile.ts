import { createHash } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Unknown, unknown } from './values.ts'

/**
 * The resource `hostfile_file`: a file below the provider's `root`, so that Terraform has something real to create, to
 * read and to find drifted (content, mode, deletion).
 */
export interface HostFile {
  id: string | Unknown | null
  path: string | Unknown
  content: string | Unknown
  /** Sensitive; kept in `<path>.secret`. */
  secret: string | Unknown | null
  mode: string | Unknown | null
  sha256: string | Unknown | null
  /** `create` or `update` refuses with an error. */
  fail: string | Unknown | null
  /** Apply writes the file and then takes this long, unless it is stopped. */
  delay_ms: number | Unknown | null
}

type Options = { [option in 'optional' | 'required' | 'computed' | 'sensitive' | 'write_only']?: boolean }
export const attribute = (name: string, type: string, options: Options) => ({
  name,
  type: Buffer.from(JSON.stringify(type)),
  ...options,
})

export const PROVIDER_SCHEMA = { version: 0, block: { attributes: [attribute('root', 'string', { required: true })] } }
export const FILE_SCHEMA = {
  version: 0,
  block: {
    attributes: [
      attribute('id', 'string', { computed: true }),
      attribute('path', 'string', { required: true }),
      attribute('content', 'string', { required: true }),
      attribute('secret', 'string', { optional: true, sensitive: true }),
      attribute('mode', 'string', { optional: true, computed: true }),
      attribute('sha256', 'string', { computed: true }),
      attribute('fail', 'string', { optional: true }),
      attribute('delay_ms', 'number', { optional: true }),
    ],
  },
}

/** What is really there, or null. Throws where there is no root: the host is down. */
export function readFile(root: string, state: HostFile): HostFile | null {
  reach(root)
  const file = join(root, text(state.path))
  try {
    const content = readFileSync(file, 'utf8')
    const mode = (statSync(file).mode & 0o777).toString(8).padStart(4, '0')
    const sha256 = createHash('sha256').update(content).digest('hex')
    return { ...state, id: state.path, content, mode, sha256, secret: readSecret(file) }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}

/** As a provider's HTTP client would say it. */
function reach(root: string): void {
  if (!existsSync(root)) throw new Error(`dial ${root}: connect: connection refused`)
}

function readSecret(file: string): string | null {
  try {
    return readFileSync(`${file}.secret`, 'utf8')
  } catch {
    return null
  }
}

/** The planned state, and whether the path makes it another file. */
export function planFile(prior: HostFile | null, proposed: HostFile): { planned: HostFile; replace: boolean } {
  const planned = { ...proposed }
  const replace = prior !== null && prior.path !== proposed.path
  if (prior === null || replace) planned.id = unknown
  if (prior === null && (planned.mode === null || planned.mode instanceof Unknown)) planned.mode = '0644'
  if (prior === null || prior.content !== proposed.content) planned.sha256 = unknown
  return { planned, replace }
}

export function writeFile(root: string, prior: HostFile | null, planned: HostFile): HostFile {
  const step = prior === null ? 'create' : 'update'
  if (planned.fail === step) throw new Error(`told to fail on ${step}, secret ${planned.secret as string}`)
  reach(root)
  const file = join(root, text(planned.path))
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text(planned.content))
  if (typeof planned.secret === 'string') writeFileSync(`${file}.secret`, planned.secret)
  else rmSync(`${file}.secret`, { force: true })
  chmodSync(file, Number.parseInt(text(planned.mode), 8))
  const written = readFile(root, planned)
  if (written === null) throw new Error('the file was gone right after it was written')
  return written
}

export function deleteFile(root: string, state: HostFile): void {
  const file = join(root, text(state.path))
  rmSync(file, { force: true })
  rmSync(`${file}.secret`, { force: true })
}

/** A value that Terraform must have resolved by now. */
function text(value: string | Unknown | null): string {
  if (typeof value !== 'string') throw new Error('expected a known string')
  return value
}
