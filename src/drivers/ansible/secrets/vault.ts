import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parse, type ScalarTag } from 'yaml'
import type { Json } from '../../../lib/json.ts'
import type { DriverContext } from '../../driver.ts'
import type { Tool } from '../../tools/find-tool.ts'
import { scalarsIn } from '../../values/redaction.ts'
import type { AnsibleConfig } from '../config.ts'
import { variableNamed } from './secrets.ts'
import { sibling } from '../tool/tool.ts'

const HEADER = '$ANSIBLE_VAULT;'
const MAX_FILE_BYTES = 4 * 1024 * 1024

/** Arguments that give the vault's passwords, from files in the scratch directory. */
export async function vaultArguments(context: DriverContext<AnsibleConfig>): Promise<string[]> {
  const { vaultPassword } = context.config
  if (vaultPassword === undefined) return []
  const ids = typeof vaultPassword === 'string' ? { default: vaultPassword } : vaultPassword
  const each = Object.entries(ids).map(async ([id, variable]) => {
    const file = join(context.scratch, `vault-${id}`)
    await writeFile(file, variableNamed(context, variable), { mode: 0o600 })
    return ['--vault-id', `${id}@${file}`]
  })
  return (await Promise.all(each)).flat()
}

/**
 * Every value that stands encrypted in the repository: whole files, and single values (`!vault`). Ansible takes them for
 * ordinary variables once they are decrypted, and shows them in diffs. Decrypted by `ansible-vault`, in one call.
 */
export async function vaultedSecrets(
  context: DriverContext<AnsibleConfig>,
  tool: Tool,
  env: { [name: string]: string },
): Promise<string[]> {
  const passwords = await vaultArguments(context)
  if (passwords.length === 0) return []
  const found = await encryptedTexts(context.workspace)
  if (found.length === 0) return []
  const directory = join(context.scratch, 'vaulted')
  await mkdir(directory, { mode: 0o700, recursive: true })
  try {
    const files = await Promise.all(
      found.map(async ({ text }, at) => {
        const file = join(directory, `${at}`)
        await writeFile(file, text, { mode: 0o600 })
        return file
      }),
    )
    const decrypt = (which: string[]) =>
      context.run({
        argv: [sibling(tool, 'ansible-vault'), 'decrypt', ...passwords, ...which],
        env,
        cwd: context.scratch,
        quiet: true,
        timeoutMs: 120_000,
      })
    // It stops at the first that another password would open, which is no error here.
    if ((await decrypt(files)).exitCode !== 0) for (const file of files) await decrypt([file])
    const plain = await Promise.all(files.map((file) => readFile(file, 'utf8')))
    return plain.flatMap((text, at) => (text.startsWith(HEADER) ? [] : secretsIn(text, found[at]!.whole)))
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

interface Encrypted {
  text: string
  /** A whole file, which is mostly YAML itself. */
  whole: boolean
}

async function encryptedTexts(directory: string): Promise<Encrypted[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  const found: Encrypted[] = []
  for (const entry of entries) {
    if (!entry.isFile()) continue
    const bytes = await readFile(join(entry.parentPath, entry.name))
    if (bytes.length > MAX_FILE_BYTES || !bytes.includes(HEADER)) continue
    const text = bytes.toString('utf8')
    if (text.startsWith(HEADER)) found.push({ text, whole: true })
    else found.push(...inlineValues(text).map((value) => ({ text: value, whole: false })))
  }
  return found
}

/** Values tagged `!vault` in a YAML document. */
function inlineValues(text: string): string[] {
  const values: string[] = []
  const vault: ScalarTag = {
    tag: '!vault',
    resolve: (value) => {
      values.push(value)
      return value
    },
  }
  try {
    parse(text, { customTags: [vault], logLevel: 'silent', merge: true })
  } catch {
    // What is no YAML holds no such values that Ansible would read.
  }
  return values
}

function secretsIn(text: string, whole: boolean): string[] {
  const trimmed = text.trim()
  if (!whole) return [text, trimmed]
  try {
    const value: unknown = parse(text, { logLevel: 'silent', merge: true })
    if (value !== null && typeof value === 'object')
      return scalarsIn(value as Json).flatMap((each) => [each, each.trim()])
  } catch {
    // A key, a certificate: the whole text.
  }
  return [text, trimmed]
}
