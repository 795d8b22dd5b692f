import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { TrueupError } from '../../../lib/errors/error.ts'
import type { DriverContext } from '../../driver.ts'
import { quoted } from '../../hosts/quote.ts'
import { insideWorkspace } from '../../paths/inside.ts'
import type { PuppetConfig } from '../config.ts'

/**
 * What lets git read the private modules of a Puppetfile, as its environment: a key for SSH, a token for HTTPS. Both stand
 * in files that only this run can read, never in a command line. git asks nobody.
 * @throws CONFIG_INVALID where a variable is not there, PATH_OUTSIDE, SOURCE_INVALID
 */
export async function gitAccess(context: DriverContext<PuppetConfig>): Promise<{ [name: string]: string }> {
  const { key, knownHosts, token, user } = context.config.puppetfileAccess
  const env: { [name: string]: string } = { GIT_TERMINAL_PROMPT: '0' }
  if (key !== undefined) {
    const file = join(context.scratch, 'puppetfile-key')
    await writeFile(file, `${secretNamed(context, key).trimEnd()}\n`, { mode: 0o600 })
    const known = knownHosts === undefined ? null : await insideWorkspace(context, knownHosts)
    env['GIT_SSH_COMMAND'] = [
      'ssh -o BatchMode=yes -o IdentitiesOnly=yes -o StrictHostKeyChecking=yes',
      ...(known === null ? [] : [`-o ${quoted(`UserKnownHostsFile=${known}`)}`]),
      `-i ${quoted(file)}`,
    ].join(' ')
  }
  if (token !== undefined) {
    const file = join(context.scratch, 'puppetfile-token')
    const program = join(context.scratch, 'puppetfile-askpass')
    await writeFile(file, secretNamed(context, token).trim(), { mode: 0o600 })
    const answer = `case "$1" in Username*) echo ${quoted(user)};; *) cat ${quoted(file)};; esac`
    await writeFile(program, `#!/bin/sh\n${answer}\n`, { mode: 0o700 })
    env['GIT_ASKPASS'] = program
  }
  return env
}

function secretNamed(context: DriverContext<unknown>, name: string): string {
  const value = context.env[name]
  if (value === undefined || value === '') {
    throw new TrueupError('CONFIG_INVALID', {
      doing: `reading the variable ${name} for stack "${context.stack.name}"`,
      why: `there is no variable ${name} in environment "${context.stack.environment}" for this phase (${context.phase})`,
      next: `Set it: trueup variable set ${name} --environment ${context.stack.environment}`,
    })
  }
  for (const secret of value.split('\n')) if (secret.length >= 8) context.mask(secret)
  return value
}
