import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { TrueupError } from '../../../lib/errors/error.ts'
import type { DriverContext } from '../../driver.ts'
import type { AnsibleConfig } from '../config.ts'
import { defaultsOf } from '../tool/configuration.ts'
import { variableNamed } from './secrets.ts'

/** So many former values are tried on what the present passwords do not open; each costs 10,000 rounds of SHA-256. */
const MAX_FORMER = 40
/** A vault's password is a line; certificates and the like are none. */
const MAX_PASSWORD_CHARS = 1_000

/** Arguments that give the vault's passwords, from files in the scratch directory. CONFIG_INVALID where a person would be asked. */
export async function vaultArguments(context: DriverContext<AnsibleConfig>): Promise<string[]> {
  await refuseQuestions(context)
  const { vaultPassword } = context.config
  if (vaultPassword === undefined) return []
  const ids = typeof vaultPassword === 'string' ? { default: vaultPassword } : vaultPassword
  return await idArguments(
    context,
    Object.entries(ids).map(([id, variable]) => [id, variableNamed(context, variable)]),
  )
}

/** Secrets of the stack as they are and were, as passwords: one of them may have sealed what the present ones do not open. */
export async function formerArguments(context: DriverContext<unknown>): Promise<string[]> {
  const usable = (context.formerSecrets ?? []).filter(
    (value) => value.trim() !== '' && value.length <= MAX_PASSWORD_CHARS && !value.trim().includes('\n'),
  )
  return await idArguments(
    context,
    usable.slice(0, MAX_FORMER).map((value, at) => [`former-${at}`, value]),
  )
}

async function idArguments(context: DriverContext<unknown>, ids: [string, string][]): Promise<string[]> {
  const each = ids.map(async ([id, password]) => {
    const file = join(context.scratch, `vault-${id}`)
    await writeFile(file, password, { mode: 0o600 })
    return ['--vault-id', `${id}@${file}`]
  })
  return (await Promise.all(each)).flat()
}

/**
 * With `vaultPassword` Ansible is told not to ask for it (`NO_QUESTION`); without, and for a vault id that is asked for, a
 * run would wait for an answer that nobody gives.
 */
async function refuseQuestions(context: DriverContext<AnsibleConfig>): Promise<void> {
  const text = await readFile(join(context.directory, 'ansible.cfg'), 'utf8').catch(() => '')
  const options = defaultsOf(text)
  const asked = (environment: string, option: string): [string, string] | null => {
    const given = context.env[environment]
    if (given !== undefined) return [environment, given]
    const set = options.get(option)
    return set === undefined ? null : [`${option} in ansible.cfg`, set]
  }
  const password = asked('ANSIBLE_ASK_VAULT_PASS', 'ask_vault_pass')
  const identities = asked('ANSIBLE_VAULT_IDENTITY_LIST', 'vault_identity_list')
  const found =
    identities && /@\s*prompt(?:_ask_vault_pass)?\s*(?:,|$)/.test(identities[1])
      ? identities
      : password && isTrue(password[1]) && context.config.vaultPassword === undefined
        ? password
        : null
  if (found === null) return
  throw new TrueupError('CONFIG_INVALID', {
    doing: `reading the vault's passwords for stack "${context.stack.name}"`,
    why: `${found[0]} is "${found[1]}": Ansible would ask a person for a password, and there is none in a run`,
    next: 'Name a variable under vaultPassword (trueup variable set …), or give a vault_password_file.',
  })
}

/** As Ansible reads a boolean. */
const isTrue = (text: string): boolean => /^(?:y|yes|on|1|true|t|1\.0)$/i.test(text.trim())

/** What Ansible's environment says where the settings give the passwords. */
export const noQuestion = ({ vaultPassword }: AnsibleConfig): { [name: string]: string } =>
  vaultPassword === undefined ? {} : { ANSIBLE_ASK_VAULT_PASS: 'False' }
