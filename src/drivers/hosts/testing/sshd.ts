import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { accessSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../../../lib/testing/free-port.ts'

const PROGRAM = '/usr/sbin/sshd'

/** A real OpenSSH server of this machine on a loopback port, with keys of its own. */
export interface Sshd {
  port: number
  user: string
  privateKey: string
  knownHosts: string
  stop(): Promise<void>
}

export function hasSshd(): boolean {
  try {
    accessSync(PROGRAM)
    return true
  } catch {
    return false
  }
}

export async function startSshd(): Promise<Sshd> {
  const directory = mkdtempSync(join(tmpdir(), 'trueup-sshd-'))
  for (const name of ['host', 'client']) {
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', join(directory, name)])
  }
  const port = await freePort()
  const config = [
    `Port ${port}`,
    'ListenAddress 127.0.0.1',
    `HostKey ${join(directory, 'host')}`,
    `AuthorizedKeysFile ${join(directory, 'client.pub')}`,
    `PidFile ${join(directory, 'pid')}`,
    'StrictModes no',
    'UsePAM no',
    'PermitRootLogin prohibit-password',
  ]
  writeFileSync(join(directory, 'config'), `${config.join('\n')}\n`)
  // Privilege separation wants this directory, and packages make it only when the service starts.
  mkdirSync('/run/sshd', { recursive: true })
  const server = spawn(PROGRAM, ['-D', '-e', '-f', join(directory, 'config')], { stdio: ['ignore', 'ignore', 'pipe'] })
  await listening(server)
  const hostKey = readFileSync(join(directory, 'host.pub'), 'utf8').split(' ').slice(0, 2).join(' ')
  return {
    port,
    user: userInfo().username,
    privateKey: readFileSync(join(directory, 'client'), 'utf8'),
    knownHosts: `[127.0.0.1]:${port} ${hostKey}\n`,
    async stop() {
      const over = new Promise((resolve) => server.once('exit', resolve))
      if (server.exitCode === null && server.kill()) await over
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

function listening(server: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = ''
    server.stderr?.on('data', (chunk: Buffer) => {
      said += chunk.toString()
      if (/Server listening/.test(said)) resolve()
    })
    server.once('exit', () => reject(new Error(`sshd ended: ${said}`)))
  })
}
