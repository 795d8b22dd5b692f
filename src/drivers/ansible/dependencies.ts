import { posix } from 'node:path'
import { TrueupError } from '../../lib/errors/error.ts'
import type { ListFiles, ReadFile } from '../driver.ts'
import { type AnsibleConfig, inventoriesOf } from './config.ts'
import { defaultsOf, pathsIn } from './tool/configuration.ts'
import { isYaml, textsOf } from './source/source-files.ts'
import { isWithin, withoutCovered } from '../paths/inside.ts'

/**
 * Paths outside the stack's directory that it is built from: what its settings and its ansible.cfg name (inventories, roles,
 * collections, plugins), and every file or directory that a YAML file of it names by a path with `../`: roles, playbooks,
 * tasks, variables, templates. Those are read in turn. PATH_OUTSIDE for a setting that leaves the repository.
 */
export async function dependencies(
  read: ReadFile,
  list: ListFiles,
  path: string,
  config: AnsibleConfig,
): Promise<string[]> {
  const root = posix.normalize(path).replace(/\/$/, '')
  const found = new Set<string>()
  for (const named of [
    config.playbook,
    ...inventoriesOf(config),
    config.knownHosts,
    config.requirements || undefined,
  ]) {
    if (named === undefined) continue
    const target = joined(root, named)
    if (target === null) {
      throw new TrueupError('PATH_OUTSIDE', {
        doing: `resolving "${named}", named by the settings of stack ${path}`,
        why: 'it lies outside the repository',
      })
    }
    found.add(target)
    // Group and host variables lie beside the inventory and the playbook.
    for (const variables of ['group_vars', 'host_vars']) found.add(posix.join(posix.dirname(target), variables))
  }
  const cfg = await read(posix.join(root, 'ansible.cfg'))
  for (const named of pathsIn(defaultsOf(cfg?.toString('utf8') ?? ''))) found.add(joined(root, named) ?? root)

  const seen = new Set<string>()
  const visit = async (target: string): Promise<void> => {
    if (seen.has(target)) return
    seen.add(target)
    const files = target !== root && (await isFile(read, target)) ? [target] : await list(target)
    for (const file of files.filter(isYaml)) {
      const text = (await read(file))?.toString('utf8') ?? ''
      if (!text.includes('../')) continue
      for (const { value } of textsOf(text)) {
        for (const named of relativePathsIn(value)) {
          for (const base of basesOf(file, root, config)) {
            const next = joined(base, named)
            if (next === null || next === root || !(await exists(read, list, next))) continue
            found.add(next)
            await visit(next)
          }
        }
      }
    }
  }
  for (const target of [root, ...found]) await visit(target)
  const there = await Promise.all([...found].map(async (each) => ((await exists(read, list, each)) ? [each] : [])))
  return withoutCovered(there.flat().filter((each) => !isWithin(root, each)))
}

/** `../roles/web`, also after `{{ playbook_dir }}/` and such, and inside of `src=../x dest=/y`. */
function relativePathsIn(value: string): string[] {
  const plain = value.replaceAll(/\{\{\s*(?:playbook_dir|role_path|inventory_dir)\s*\}\}\//g, '')
  return [...plain.matchAll(/(?:^|[\s='"])((?:[\w.-]+\/)*\.\.\/[^\s'"{}]+)/g)].map(([, path]) => path!)
}

/** What a relative path may start from: the file itself, the playbook, and the directories of a role. */
function basesOf(file: string, root: string, config: AnsibleConfig): Set<string> {
  const own = posix.dirname(file)
  const playbook = posix.join(root, posix.dirname(config.playbook))
  return new Set([
    own,
    playbook,
    ...['files', 'templates', 'vars', 'tasks'].flatMap((kind) => [
      posix.join(own, '..', kind),
      posix.join(playbook, kind),
    ]),
  ])
}

function joined(base: string, path: string): string | null {
  const target = posix.normalize(posix.join(base, path)).replace(/\/$/, '')
  return posix.isAbsolute(path) || target === '..' || target.startsWith('../') ? null : target
}

const isFile = async (read: ReadFile, path: string): Promise<boolean> =>
  read.idOf ? (await read.idOf(path)) !== null : (await read(path)) !== null

const exists = async (read: ReadFile, list: ListFiles, path: string): Promise<boolean> =>
  (await isFile(read, path)) || (await list(path)).length > 0
