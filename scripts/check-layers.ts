/** Enforces the house: an import may only point downwards, never across drivers or forges, and never in a circle. */
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize, relative } from 'node:path'

const FLOORS = ['cli', 'server', 'worker', 'engine', 'forges', 'drivers', 'store', 'git', 'domain', 'lib'] as const
/** Folders whose sub-folders must not know each other. */
const SEPARATE = ['drivers', 'forges']
/** Their rooms that all others may know, and that know none of them. */
const SHARED = ['drivers/tools', 'drivers/values', 'drivers/paths', 'drivers/hosts']

export interface LayerProblem {
  file: string
  imports: string
  why: string
}

/** Relative imports of a TypeScript source, static and dynamic. Comments may fool it; nothing else does. */
export function importsOf(source: string): string[] {
  const found: string[] = []
  for (const match of source.matchAll(/(?:from\s+|import\s*\(\s*|import\s+)['"](\.{1,2}\/[^'"]+)['"]/g))
    found.push(match[1]!)
  return found
}

/** Checks one file's imports; paths are relative to `src`. */
export function problemsOf(file: string, imports: string[]): LayerProblem[] {
  const problems: LayerProblem[] = []
  const [floor, room] = file.split('/') as [string, string]
  for (const specifier of imports) {
    const target = normalize(join(dirname(file), specifier))
    const [targetFloor, targetRoom] = target.split('/') as [string, string]
    const from = FLOORS.indexOf(floor as (typeof FLOORS)[number])
    const to = FLOORS.indexOf(targetFloor as (typeof FLOORS)[number])
    if (to === -1) problems.push({ file, imports: target, why: 'leaves the house' })
    else if (to < from)
      problems.push({ file, imports: target, why: `${floor} must not import ${targetFloor} above it` })
    else if (to === from && SEPARATE.includes(floor) && file.split('/').length > 2 && target.split('/').length > 2) {
      const open = room === 'testing' || targetRoom === 'testing' || SHARED.includes(`${floor}/${targetRoom}`)
      if (room !== targetRoom && !open)
        problems.push({ file, imports: target, why: `${room} must not know ${targetRoom}` })
    }
  }
  return problems
}

/** A circle among the files, as the list of files on it, or null. */
export function findCircle(graph: Map<string, string[]>): string[] | null {
  const done = new Set<string>()
  const path: string[] = []
  const visit = (file: string): string[] | null => {
    if (done.has(file)) return null
    const at = path.indexOf(file)
    if (at !== -1) return [...path.slice(at), file]
    path.push(file)
    for (const next of graph.get(file) ?? []) {
      const circle = visit(next)
      if (circle) return circle
    }
    path.pop()
    done.add(file)
    return null
  }
  for (const file of graph.keys()) {
    const circle = visit(file)
    if (circle) return circle
  }
  return null
}

export function checkHouse(src: string): LayerProblem[] {
  const graph = new Map<string, string[]>()
  const problems: LayerProblem[] = []
  for (const path of globSync('**/*.ts', { cwd: src })) {
    const source = readFileSync(join(src, path), 'utf8')
    if (!path.endsWith('.test.ts')) problems.push(...problemsOf(path, importsOf(source)))
    const valueImports = importsOf(source.replace(/^import type[^;]*?from\s+['"][^'"]+['"]/gm, ''))
    graph.set(
      path,
      valueImports.map((specifier) => normalize(join(dirname(path), specifier))),
    )
  }
  const circle = findCircle(graph)
  if (circle) problems.push({ file: circle[0]!, imports: circle.join(' → '), why: 'imports in a circle' })
  return problems
}

if (import.meta.main) {
  const src = join(import.meta.dirname, '..', 'src')
  const problems = checkHouse(src)
  for (const { file, imports, why } of problems) console.error(`${relative('.', join(src, file))}: ${why} (${imports})`)
  if (problems.length > 0) process.exit(1)
}
