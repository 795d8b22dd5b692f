import { posix } from 'node:path'
import type { LeftOut } from '../proposal.ts'

/** Names of a playbook that stands for all of a directory, the usual one first. */
const MAIN = [
  'site',
  'main',
  'playbook',
  'all',
  'run',
  'cluster',
  'deploy',
  'provision',
  'setup',
  'install',
  'bootstrap',
]
/** What takes away, or acts once: nothing that a merge should do every time. */
const ACT =
  /(^|[-_.])(reset|remove|delete|destroy|teardown|tear|uninstall|purge|wipe|cleanup|clean|rollback|recover|restore|reboot|restart|shutdown|stop|upgrade|scale|migrate|backup|debug|test|ping|check|facts|hello|example)([-_.]|$)/i
/** More than these beside each other are a tool box. */
const MANY = 8

/** The playbooks of one directory that are stacks, and why the others are not. */
export function mainPlaybooks(
  root: string,
  found: readonly { file: string; text: string }[],
): { playbooks: string[]; leftOut: LeftOut[] } {
  const leftOut: LeftOut[] = []
  const imported = new Map<string, string>()
  for (const { file, text } of found)
    for (const [, target = ''] of text.matchAll(
      /^\s*-?\s*(?:ansible\.builtin\.)?import_playbook:\s*["']?([^"'\s#]+)/gm,
    ))
      imported.set(posix.normalize(posix.join(posix.dirname(file), target)), file)
  const roots = found.map(({ file }) => file).filter((file) => !imported.has(file) || imported.get(file) === file)
  for (const [path, by] of imported)
    if (found.some(({ file }) => file === path) && path !== by) leftOut.push({ path, why: `${by} imports it` })
  const lasting = roots.filter((file) => !ACT.test(stem(file)))
  for (const path of roots)
    if (!lasting.includes(path)) leftOut.push({ path, why: 'by its name it acts once, or takes away' })
  const main = mainOf(lasting, root)
  if (main === null && lasting.length > MANY) {
    const why = `one of ${lasting.length} playbooks beside each other: name those that describe a lasting state`
    return { playbooks: [], leftOut: [...leftOut, ...lasting.map((path) => ({ path, why }))] }
  }
  if (main === null) return { playbooks: lasting, leftOut }
  const others = lasting.filter((file) => file !== main).map((path) => ({ path, why: `${main} stands for all` }))
  return { playbooks: [main], leftOut: [...leftOut, ...others] }
}

const stem = (file: string): string => posix.basename(file).replace(/\.ya?ml$/, '')

/** The one that stands for all, or the only one. */
function mainOf(playbooks: readonly string[], root: string): string | null {
  const byDepth = playbooks.toSorted((a, b) => a.split('/').length - b.split('/').length || (a < b ? -1 : 1))
  for (const name of [...MAIN, posix.basename(root)]) {
    const found = byDepth.find((file) => stem(file) === name)
    if (found !== undefined) return found
  }
  return playbooks.length === 1 ? playbooks[0]! : null
}
