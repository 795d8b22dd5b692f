/**
 * Measures the house: units (files and folders) of each folder, and the imports between them. A folder whose units know
 * each other in every direction cannot be read one unit at a time. Printed by `npm run check -- --house`,
 * with `--house=REVISION` beside what it was.
 */
import { execFileSync } from 'node:child_process'
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, normalize } from 'node:path'

/** One folder as seen from inside: its units, and which of them imports which. */
export interface Hall {
  folder: string
  units: Set<string>
  /** unit → unit that it imports → one file import that shows it, as `a.ts → b.ts`. */
  imports: Map<string, Map<string, string>>
}

/** Relative imports of a TypeScript source: static, type-only and dynamic. Comments may fool it; nothing else does. */
export function importsOf(source: string): string[] {
  const found: string[] = []
  for (const match of source.matchAll(/(?:from\s+|import\s*\(\s*|import\s+)['"](\.{1,2}\/[^'"]+)['"]/g))
    found.push(match[1]!)
  return found
}

/** Whether a file is a part of the house rather than something that tries it out. Paths are relative to `src`. */
export const isHouse = (file: string): boolean =>
  !/\.(test|testing)\.ts$/.test(file) && !/(^|\/)(testing|fixtures|conformance)(\/|\.ts$)/.test(file)

/** Every source file with the files that it imports; all paths relative to `src`. */
export function importGraph(src: string): Map<string, string[]> {
  const graph = new Map<string, string[]>()
  for (const file of globSync('**/*.ts', { cwd: src })) {
    const specifiers = importsOf(readFileSync(join(src, file), 'utf8'))
    graph.set(
      file,
      specifiers.map((specifier) => normalize(join(dirname(file), specifier))),
    )
  }
  return graph
}

/** The halls of the house, by folder; `.` is `src` itself. Tests and what they share do not count. */
export function hallsOf(graph: ReadonlyMap<string, readonly string[]>): Map<string, Hall> {
  const halls = new Map<string, Hall>()
  const hallAt = (folder: string): Hall => {
    const hall = halls.get(folder) ?? { folder, units: new Set(), imports: new Map() }
    halls.set(folder, hall)
    return hall
  }
  for (const [file, targets] of graph) {
    if (!isHouse(file)) continue
    const steps = file.split('/')
    for (const [depth, unit] of steps.entries()) hallAt(steps.slice(0, depth).join('/') || '.').units.add(unit)
    for (const target of targets) {
      const fork = forkOf(steps, target.split('/'))
      if (!fork || !isHouse(target)) continue
      const { imports } = hallAt(fork.folder)
      const from = imports.get(fork.from) ?? new Map<string, string>()
      if (!from.has(fork.to)) from.set(fork.to, `${file} → ${target}`)
      imports.set(fork.from, from)
    }
  }
  return halls
}

/** The folder in which two files part, and the unit of each there; null for a file that imports itself. */
function forkOf(a: readonly string[], b: readonly string[]): { folder: string; from: string; to: string } | null {
  let depth = 0
  while (depth < a.length && depth < b.length && a[depth] === b[depth]) depth++
  const [from, to] = [a[depth], b[depth]]
  return from === undefined || to === undefined ? null : { folder: a.slice(0, depth).join('/') || '.', from, to }
}

/** The halls as they were at a revision. Throws where git knows no such. */
export function hallsAt(root: string, revision: string): Map<string, Hall> {
  const directory = mkdtempSync(join(tmpdir(), 'trueup-house-'))
  try {
    const archive = execFileSync('git', ['archive', revision, 'src'], { cwd: root, maxBuffer: 256 * 1024 * 1024 })
    execFileSync('tar', ['-x', '-C', directory], { input: archive })
    return hallsOf(importGraph(join(directory, 'src')))
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

/** One line a folder: how many units it has and how many imports there are between them; and how many there were. */
export function houseTable(halls: ReadonlyMap<string, Hall>, before?: ReadonlyMap<string, Hall>): string {
  const folders = [...new Set([...halls.keys(), ...(before?.keys() ?? [])])].sort()
  const row = (folder: string, ...columns: string[]) =>
    folder.padEnd(34) + columns.map((column) => column.padStart(9)).join('')
  const heads = before ? ['units', 'imports', 'were', 'were'] : ['units', 'imports']
  const lines = folders.map((folder) =>
    row(folder, ...numbersOf(halls.get(folder)), ...(before ? numbersOf(before.get(folder)) : [])),
  )
  return [row('folder of src', ...heads), ...lines].join('\n')
}

function numbersOf(hall: Hall | undefined): [units: string, imports: string] {
  if (!hall) return ['-', '-']
  const imports = [...hall.imports.values()].reduce((sum, targets) => sum + targets.size, 0)
  return [String(hall.units.size), String(imports)]
}
