import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { parseAllDocuments } from 'yaml'
import { TrueupError } from '../../../lib/errors/error.ts'
import type { Json } from '../../../lib/json.ts'
import type { DriverContext } from '../../driver.ts'
import type { Tool } from '../../tools/find-tool.ts'
import { scalarsIn } from '../../values/redaction.ts'
import type { AnsibleConfig } from '../config.ts'
import { variableNamed } from './secrets.ts'
import { sibling } from '../tool/tool.ts'

const HEADER = '$ANSIBLE_VAULT;'
const INLINE = /\$ANSIBLE_VAULT;[\w.;-]+(?:(?:\s|\\r|\\n)+[0-9a-f]{2,})+/g
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
  const found = await encryptedTexts(context)
  if (found.length === 0) return []
  // Without passwords among the settings they come by the stack's ansible.cfg or by variables, or not at all: the same
  // environment and directory as the playbook's open what the playbook can open.
  const passwords = await vaultArguments(context)
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
        cwd: context.directory,
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

async function encryptedTexts(context: DriverContext<unknown>): Promise<Encrypted[]> {
  const entries = await readdir(context.workspace, { recursive: true, withFileTypes: true })
  const found: Encrypted[] = []
  for (const entry of entries) {
    if (!entry.isFile()) continue
    const bytes = await readFile(join(entry.parentPath, entry.name))
    if (!bytes.includes(HEADER)) continue
    if (bytes.length > MAX_FILE_BYTES) throw tooLarge(context, join(entry.parentPath, entry.name))
    const text = bytes.toString('utf8')
    if (text.startsWith(HEADER)) found.push({ text, whole: true })
    else found.push(...inlineValues(text).map((value) => ({ text: value, whole: false })))
  }
  return found
}

/**
 * Single values inside a file, whatever it is otherwise: YAML with `!vault` in any number of documents, JSON with
 * `__ansible_vault`, a template. They are known by their header and the lines of hex digits that follow it.
 */
function inlineValues(text: string): string[] {
  return [...text.matchAll(INLINE)].map(([value]) =>
    value
      .split(/\\r?\\n|\\n|\s+/)
      .filter((line) => line !== '')
      .join('\n')
      .concat('\n'),
  )
}

function tooLarge(context: DriverContext<unknown>, file: string): TrueupError {
  const path = relative(context.workspace, file)
  return new TrueupError('SOURCE_INVALID', {
    doing: `looking for secrets of stack "${context.stack.name}"`,
    why: `${path} holds vaulted values and is larger than ${MAX_FILE_BYTES / 1024 / 1024} MiB, so that they could not be hidden`,
    next: 'Split the file.',
  })
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
