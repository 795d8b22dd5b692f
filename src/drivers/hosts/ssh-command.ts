import { join } from 'node:path'
import type { DriverContext } from '../driver.ts'
import { findTool, type Tool } from '../tools/find-tool.ts'
import type { HostSettings } from './config.ts'
import type { RemoteTarget } from './resolve.ts'
import type { SshFiles } from './ssh-files.ts'

/** Finds OpenSSH's client on the run's PATH. Throws as `findTool` does. */
export function findSsh(context: DriverContext<unknown>): Promise<Tool<'ssh'>> {
  return findTool({ ...context, toolVersion: undefined } as DriverContext<unknown>, {
    names: ['ssh'],
    install: 'the OpenSSH client (Debian: openssh-client)',
    versionArguments: ['-V'],
  })
}

/** One connection: what all of its sessions have in common. */
export interface SshCommand {
  program: string
  target: RemoteTarget
  /** Of the connection's control socket. */
  socket: string
  /** Arguments of the session that opens the connection. */
  opening: string[]
  /** Arguments of further sessions. */
  further: string[]
}

/**
 * Options for a connection of this run alone: no configuration file of anybody, no agent, no password, host keys always
 * checked, and a control socket of its own, since ssh lends a shared one to whoever names the same host and account, whatever
 * key and known hosts they give.
 */
export function sshCommand(
  program: string,
  config: HostSettings,
  files: SshFiles,
  target: RemoteTarget,
  index: number,
): SshCommand {
  const socket = join(files.directory, `s${index}`)
  const common = ['-F', 'none', '-T', '-p', String(target.port), '-l', target.user, '-o', `ControlPath=${socket}`]
  const options = {
    BatchMode: 'yes',
    StrictHostKeyChecking: 'yes',
    UserKnownHostsFile: files.knownHosts,
    GlobalKnownHostsFile: '/dev/null',
    UpdateHostKeys: 'no',
    PreferredAuthentications: 'publickey',
    IdentityAgent: 'none',
    ...(files.identity !== undefined && { IdentityFile: files.identity, IdentitiesOnly: 'yes' }),
    ConnectTimeout: String(config.ssh.connectTimeout),
    ConnectionAttempts: '1',
    ServerAliveInterval: '5',
    ServerAliveCountMax: '3',
    ControlMaster: 'yes',
    ControlPersist: 'no',
    ForwardAgent: 'no',
    LogLevel: 'ERROR',
  }
  const opening = Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`])
  return {
    program,
    target,
    socket,
    opening: [...common, ...opening, '--', target.address],
    // Without the socket it must not connect by itself: it would ask nobody and check nothing.
    further: [
      ...common,
      '-o',
      'ControlMaster=no',
      '-o',
      'BatchMode=yes',
      '-o',
      'ProxyCommand=false',
      '-o',
      'LogLevel=ERROR',
      '--',
      target.address,
    ],
  }
}
