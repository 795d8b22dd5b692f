import { existsSync } from 'node:fs'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseAllDocuments } from 'yaml'
import type { Json } from '../../../lib/json.ts'
import type { DriverContext } from '../../driver.ts'
import type { Tool } from '../../tools/find-tool.ts'
import { scalarsIn } from '../../values/redaction.ts'
import type { AnsibleConfig } from '../config.ts'
import { sibling } from '../tool/tool.ts'
import { type Encrypted, encryptedBelow, HEADER } from './encrypted.ts'
import { formerArguments, vaultArguments } from './passwords.ts'

/** The plain texts of what is encrypted in the repository. */
export interface Vaulted {
  secrets: string[]
  /**
   * Of what the deployed commit held encrypted and this one does not, so much could not be opened: the hosts may hold it,
   * and nobody can tell where.
   */
  lost: number
}

/**
 * Every value that stands encrypted in the repository, or stood there when it was deployed last: whole files, and single
 * values (`!vault`). Ansible takes them for ordinary variables once they are decrypted, and shows them in diffs. Decrypted by
 * `ansible-vault`: with what opens the playbook's own vaults, then with what secrets were before.
 */
export async function vaultedSecrets(
  context: DriverContext<AnsibleConfig>,
  tool: Tool,
  env: { [name: string]: string },
): Promise<Vaulted> {
  const present = await encryptedBelow(context, context.workspace)
  const root = await context.deployed?.()
  const known = new Set(present.map(({ text }) => text))
  const deployed =
    root === undefined ? [] : (await encryptedBelow(context, root)).filter(({ text }) => !known.has(text))
  if (present.length + deployed.length === 0) return { secrets: [], lost: 0 }
  const directory = join(context.scratch, 'vaulted')
  await mkdir(directory, { mode: 0o700, recursive: true })
  try {
    const files = await Promise.all([...present, ...deployed].map((each, at) => asFile(directory, `${at}`, each)))
    // Without passwords among the settings they come by the stack's ansible.cfg or by variables, or not at all: the same
    // environment and directory as the playbook's open what the playbook can open.
    const now = decrypter(context, tool, { env, cwd: context.directory })
    const former = await formerArguments(context)
    await now(files, await vaultArguments(context))
    if (former.length > 0) await now(files, former)
    const old = files.slice(present.length)
    if (root !== undefined) await asDeployed(context, tool, { env, cwd: join(root, context.stack.path) }, old, former)
    const opened = await openedOf(files)
    const lost = old.length - (await openedOf(old)).length
    return { secrets: opened.flatMap(({ text, whole }) => secretsIn(text, whole)), lost }
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

/** By what the deployed ansible.cfg says of passwords, which may have changed since. */
async function asDeployed(
  context: DriverContext<unknown>,
  tool: Tool,
  { env, cwd }: Place,
  files: readonly Sealed[],
  former: readonly string[],
): Promise<void> {
  const config = join(cwd, 'ansible.cfg')
  if (existsSync(config))
    await decrypter(context, tool, { env: { ...env, ANSIBLE_CONFIG: config }, cwd })(files, former)
}

interface Place {
  env: { [name: string]: string }
  cwd: string
}

/** A file that holds something encrypted, until it is decrypted in place. */
interface Sealed {
  path: string
  whole: boolean
}

async function asFile(directory: string, name: string, { text, whole }: Encrypted): Promise<Sealed> {
  const path = join(directory, name)
  await writeFile(path, text, { mode: 0o600 })
  return { path, whole }
}

const textOf = ({ path }: Sealed): Promise<string> => readFile(path, 'utf8')

async function openedOf(files: readonly Sealed[]): Promise<{ text: string; whole: boolean }[]> {
  const all = await Promise.all(files.map(async (file) => ({ text: await textOf(file), whole: file.whole })))
  return all.filter(({ text }) => !text.startsWith(HEADER))
}

/** Decrypts those files in place that are still encrypted and that these passwords open. */
function decrypter(context: DriverContext<unknown>, tool: Tool, place: Place) {
  return async (files: readonly Sealed[], passwords: readonly string[]): Promise<void> => {
    let rest = await stillSealed(files)
    while (rest.length > 0) {
      const paths = rest.map(({ path }) => path)
      const argv = [sibling(tool, 'ansible-vault'), 'decrypt', ...passwords, ...paths]
      const { exitCode } = await context.run({ argv, ...place, quiet: true, timeoutMs: 120_000 })
      // It stops at the first that another password would open, which is no error here.
      rest = exitCode === 0 ? [] : (await stillSealed(rest)).slice(1)
    }
  }
}

async function stillSealed(files: readonly Sealed[]): Promise<Sealed[]> {
  const texts = await Promise.all(files.map(textOf))
  return files.filter((_, at) => texts[at]!.startsWith(HEADER))
}

function secretsIn(text: string, whole: boolean): string[] {
  const trimmed = text.trim()
  if (!whole) return [text, trimmed]
  try {
    const documents = [parseAllDocuments(text, { logLevel: 'silent', merge: true })].flat()
    const values = documents.map((document) => document.toJS() as Json)
    if (values.some((value) => value !== null && typeof value === 'object'))
      return values.flatMap(scalarsIn).flatMap((each) => [each, each.trim()])
  } catch {
    // A key, a certificate: the whole text.
  }
  return [text, trimmed]
}
