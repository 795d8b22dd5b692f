import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { TrueupError } from '../../../lib/errors/error.ts'
import type { DriverContext } from '../../driver.ts'
import type { AnsibleConfig } from '../config.ts'
import { fileOfStack } from './paths.ts'
import { variableNamed } from '../secrets/secrets.ts'

/**
 * A Unix socket's path has at most 107 bytes (unix(7)); Ansible appends 11, and ssh 17 more while it makes the socket.
 */
const MAX_CONTROL_DIRECTORY = 107 - 11 - 17
/** How long a connection outlives its last command where nobody ends it: the worker was killed. */
const PERSIST_SECONDS = 60

export interface Connection {
  /** Directory of this run's control sockets, which no other run may use. */
  controlDirectory: string
  /** Options of every ssh; the first value of an option counts in ssh, so nothing in an inventory overrides these. */
  sshArguments: string
  privateKey: string | null
  /** Ends the connections that are kept open. */
  close(): Promise<void>
}

/** Settings of SSH for one run. Keys of hosts are always checked. */
export async function openConnection(context: DriverContext<AnsibleConfig>): Promise<Connection> {
  const { controlDirectory, temporary } = await makeControlDirectory(context)
  const options = [
    'ControlMaster=auto',
    `ControlPersist=${PERSIST_SECONDS}s`,
    'StrictHostKeyChecking=yes',
    'ForwardAgent=no',
    ...(await knownHostsOptions(context)),
    ...(context.config.privateKey === undefined ? [] : ['IdentitiesOnly=yes']),
  ]
  return {
    controlDirectory,
    sshArguments: options.map((option) => `-o ${option}`).join(' '),
    privateKey: await writePrivateKey(context),
    async close() {
      await endMasters(controlDirectory, context)
      await rm(temporary ?? controlDirectory, { recursive: true, force: true })
    },
  }
}

async function makeControlDirectory(
  context: DriverContext<unknown>,
): Promise<{ controlDirectory: string; temporary?: string }> {
  const own = join(context.scratch, 'cm')
  if (own.length <= MAX_CONTROL_DIRECTORY) {
    await mkdir(own, { recursive: true, mode: 0o700 })
    return { controlDirectory: own }
  }
  const temporary = await mkdtemp('/tmp/trueup-')
  await chmod(temporary, 0o700)
  return { controlDirectory: temporary, temporary }
}

async function knownHostsOptions(context: DriverContext<AnsibleConfig>): Promise<string[]> {
  const { knownHosts, knownHostsVariable } = context.config
  if (knownHosts === undefined && knownHostsVariable === undefined) return []
  let file = join(context.scratch, 'known_hosts')
  if (knownHostsVariable !== undefined) await writeFile(file, `${variableNamed(context, knownHostsVariable)}\n`)
  else file = await fileOfStack(context, knownHosts!)
  // ssh splits this option's value at spaces, unless they are quoted; Ansible takes one level of quotes away.
  if (/[\s"'\\%]/.test(file)) {
    throw new TrueupError('CONFIG_INVALID', {
      doing: 'giving the known hosts to ssh',
      why: `"${file}" has a space, a quote or a percent sign in it`,
      next: 'Rename the file or its directory.',
    })
  }
  return [`UserKnownHostsFile=${file}`, 'GlobalKnownHostsFile=/dev/null']
}

async function writePrivateKey(context: DriverContext<AnsibleConfig>): Promise<string | null> {
  const { privateKey } = context.config
  if (privateKey === undefined) return null
  const file = join(context.scratch, 'ssh_key')
  // ssh refuses a key without the last line end, which many a form field takes away.
  await writeFile(file, `${variableNamed(context, privateKey).trimEnd()}\n`, { mode: 0o600 })
  return file
}

/** A master is a daemon: it left the process group, and ends only when told to, or after its time. */
async function endMasters(directory: string, context: DriverContext<unknown>): Promise<void> {
  const sockets = await readdir(directory).catch(() => [])
  await Promise.all(
    sockets.map((socket) =>
      context
        .run({
          argv: ['ssh', '-F', 'none', '-o', `ControlPath=${join(directory, socket)}`, '-O', 'exit', 'trueup'],
          env: { PATH: context.env.PATH ?? '' },
          timeoutMs: 5_000,
          graceMs: 500,
          quiet: true,
          clearing: true,
        })
        .catch(() => {}),
    ),
  )
}
