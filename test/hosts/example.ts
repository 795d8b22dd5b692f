import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parse } from 'yaml'
import { TrueupConfig } from '../../src/domain/config/schema.ts'
import type { TestHosts } from './hosts.ts'

/** An example directory as files of a repository, with the settings of its first stack for a test host in place of its own. */
export async function hostExample(
  name: string,
  hosts: TestHosts,
): Promise<{ files: { [path: string]: string }; path: string; settings: object; env: { SSH_KEY: string } }> {
  const directory = join(import.meta.dirname, '../../examples', name)
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  const files = Object.fromEntries(
    await Promise.all(paths.map(async (path) => [path.slice(directory.length + 1), await readFile(path, 'utf8')])),
  ) as { [path: string]: string }
  const [stack] = TrueupConfig.parse(parse(files['trueup.yaml'] ?? '')).stacks
  const settings = { ...(stack!.with as object), hosts: [{ name: 'web1', address: hosts.hosts[0]!.address }] }
  files['web/known_hosts'] = await readFile(hosts.knownHosts, 'utf8')
  return { files, path: 'web', settings, env: { SSH_KEY: await readFile(hosts.identity, 'utf8') } }
}
