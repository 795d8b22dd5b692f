import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { TrueupError } from '../../lib/errors/error.ts'
import type { DriverContext } from '../driver.ts'
import type { HostSettings } from './config.ts'
import { insideWorkspace } from '../paths/inside.ts'

/** What ssh reads, in files of this run alone. */
export interface SshFiles {
  /** Private; paths in it are short enough for a socket. */
  directory: string
  knownHosts: string
  /** Absent where the keys of the worker's own account are to be used. */
  identity?: string
  remove(): Promise<void>
}

/** A socket's path may have 107 bytes, and ssh adds 17 to the one it is given (sun_path in unix(7)). */
const MAX_DIRECTORY = 70

/**
 * Writes key and known hosts where only this run reads them.
 * @throws CONFIG_INVALID where a variable or the file of known hosts is missing
 */
export async function sshFiles(context: DriverContext<HostSettings>): Promise<SshFiles> {
  const base = context.scratch.length > MAX_DIRECTORY - 12 ? tmpdir() : context.scratch
  const directory = await mkdtemp(join(base, 'tu-ssh-'))
  const remove = (): Promise<void> => rm(directory, { recursive: true, force: true })
  try {
    const knownHosts = join(directory, 'known_hosts')
    await writeFile(knownHosts, await knownHostsText(context), { mode: 0o600 })
    const { identity } = context.config.ssh
    if (identity === undefined) return { directory, knownHosts, remove }
    const key = variable(context, identity, 'ssh.identity')
    for (const line of key.split('\n')) if (line.trim().length > 20) context.mask(line.trim())
    const file = join(directory, 'identity')
    // Copied through a form or a shell, a key easily loses its last line end, and ssh then refuses it.
    await writeFile(file, `${key.replaceAll('\r', '').trimEnd()}\n`, { mode: 0o600 })
    return { directory, knownHosts, identity: file, remove }
  } catch (thrown) {
    await remove()
    throw thrown
  }
}

async function knownHostsText(context: DriverContext<HostSettings>): Promise<string> {
  const { knownHosts, knownHostsVariable } = context.config.ssh
  if (knownHostsVariable !== undefined) return `${variable(context, knownHostsVariable, 'ssh.knownHostsVariable')}\n`
  if (knownHosts === undefined) {
    throw invalid(
      context,
      'neither `ssh.knownHosts` nor `ssh.knownHostsVariable` is set',
      'Host keys are always checked. Commit a known_hosts file (`ssh-keyscan -H HOST >> known_hosts`, fingerprints compared) and name it.',
    )
  }
  const path = await insideWorkspace(context, knownHosts)
  return await readFile(path, 'utf8').catch(() => {
    throw invalid(context, `there is no file ${knownHosts}, named by ssh.knownHosts`, 'Commit it, or correct the path.')
  })
}

function variable(context: DriverContext<HostSettings>, name: string, setting: string): string {
  const value = context.env[name]
  if (value !== undefined && value !== '') return value
  throw invalid(
    context,
    `the variable ${name}, named by ${setting}, is not set`,
    `Set it: trueup variable set ${name} --environment ${context.stack.environment}`,
  )
}

const invalid = (context: DriverContext<HostSettings>, why: string, next: string): TrueupError =>
  new TrueupError('CONFIG_INVALID', { doing: `preparing SSH for stack "${context.stack.name}"`, why, next })
