import { readdir, readFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import type { Finding } from '../../../domain/plans/plan.ts'
import type { DriverContext } from '../../driver.ts'
import { isThere } from './paths.ts'

const MAX_BYTES = 1024 * 1024
const LOOKUP = /\b(?:lookup|query|q)\(\s*(['"])(?:ansible\.builtin\.)?password\1\s*,\s*(['"])(.*?)\2/g

/**
 * `lookup('password', FILE)` makes a password and keeps it in a file beside the playbook, which here is a workspace that
 * goes with the run: each run would make another one. Harmless where the file is in Git, or a `seed` decides.
 */
export async function passwordLookups(context: DriverContext<unknown>): Promise<Finding[]> {
  const findings: Finding[] = []
  for (const entry of await readdir(context.directory, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !/\.(ya?ml|j2)$/.test(entry.name)) continue
    const file = join(entry.parentPath, entry.name)
    const text = (await readFile(file)).subarray(0, MAX_BYTES).toString('utf8')
    for (const { index, 3: term = '' } of text.matchAll(LOOKUP)) {
      const [path = '', ...options] = term.trim().split(/\s+/)
      const rest = text.slice(index, index + 500).split(')')[0]!
      if (/\bseed\s*=/.test(rest) || options.some((each) => each.startsWith('seed='))) continue
      const candidates = [context.directory, dirname(file)].map((directory) => join(directory, path))
      if ((await Promise.all(candidates.map(isThere))).includes(true)) continue
      findings.push({
        severity: 'warning',
        code: 'password_lookup',
        message: `lookup('password', '${path}') makes a new password with every run, because the file it would keep it in goes with the run: give the password as an input or variable, or use a seed`,
        path: relative(context.workspace, file),
        line: text.slice(0, index).split('\n').length,
      })
    }
  }
  return findings.toSorted((a, b) => (a.path! < b.path! ? -1 : a.path! > b.path! ? 1 : a.line! - b.line!))
}
