import { TrueupError } from '../../lib/errors/error.ts'
import type { ProcessResult } from '../../lib/process/supervise.ts'
import { lastWords } from '../tools/verdict.ts'
import type { RemoteTarget } from './resolve.ts'

/** Codes that say something about one host and nothing about the others. */
export const HOST_ERRORS: ReadonlySet<string> = new Set([
  'TARGET_UNREACHABLE',
  'TARGET_DENIED',
  'TARGET_UNSAFE',
  'TARGET_FULL',
  'TOOL_MISSING',
  'TOOL_VERSION',
  'STATE_LOCKED',
])

/** Why a connection was not made, by the words of OpenSSH 8 and 9 on standard error. */
export function connectionError(target: RemoteTarget, result: Pick<ProcessResult, 'stdout' | 'stderr'>): TrueupError {
  const { stderr } = result
  const doing = `connecting to ${target.user}@${target.address} (host "${target.name}")`
  const port = target.port === 22 ? '' : `-p ${target.port} `
  if (/REMOTE HOST IDENTIFICATION HAS CHANGED/.test(stderr)) {
    return new TrueupError('TARGET_UNSAFE', {
      doing,
      why: 'it shows another host key than the known one',
      next: `Find out why. If the host was set up anew, replace its line in known_hosts (ssh-keyscan ${port}${target.address}), fingerprint compared.`,
    })
  }
  if (/host key is known for|Host key verification failed/.test(stderr)) {
    return new TrueupError('TARGET_UNSAFE', {
      doing,
      why: 'its host key is not known',
      next: `Add it to known_hosts: ssh-keyscan ${port}${target.address}, and compare the fingerprint with the host's own (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub).`,
    })
  }
  if (/Load key .*(invalid format|error in libcrypto|incorrect passphrase)/.test(stderr)) {
    return new TrueupError('TARGET_DENIED', {
      doing,
      why: 'the variable that ssh.identity names holds no private key that can be used without a passphrase',
      next: 'Set it to the text of an OpenSSH private key without a passphrase.',
    })
  }
  if (/Permission denied \(|Too many authentication failures/.test(stderr)) {
    return new TrueupError('TARGET_DENIED', {
      doing,
      why: 'it does not accept the key',
      next: `Add the public key to ~${target.user}/.ssh/authorized_keys on the host, or correct user and key.`,
    })
  }
  if (/sudo: .*(password is required|not allowed|not in the sudoers)/.test(stderr)) {
    return new TrueupError('TARGET_DENIED', {
      doing,
      why: `sudo refuses: ${lastWords(result)}`,
      next: `Allow ${target.user} to run sudo without a password (NOPASSWD), or connect as root.`,
    })
  }
  if (/No space left on device|Disk quota exceeded/.test(stderr)) {
    return new TrueupError('TARGET_FULL', { doing, why: lastWords(result) })
  }
  return new TrueupError('TARGET_UNREACHABLE', { doing, why: lastWords(result) || 'the connection ended' })
}
