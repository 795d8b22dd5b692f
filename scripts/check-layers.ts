/**
 * Enforces the house: an import may only point downwards, never across drivers or forges, and never in a circle, neither
 * of files nor of the units of any folder; an import of types only is an import. Of a forge all others know the port only. No file of the project, tests among them, is
 * longer than can be read at once.
 * `--house` prints how large the halls are, `--house=REVISION` how large they were.
 */
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize, relative } from 'node:path'
import { type Hall, hallsAt, hallsOf, houseTable, importGraph, importsOf } from './house.ts'

const FLOORS = ['cli', 'server', 'worker', 'engine', 'forges', 'drivers', 'store', 'git', 'domain', 'lib'] as const
/** Folders whose sub-folders must not know each other. */
const SEPARATE = ['drivers', 'forges']
/** Their rooms that all others may know, and that know none of them. */
const SHARED = ['drivers/tools', 'drivers/values', 'drivers/paths', 'drivers/hosts', 'forges/rows', 'forges/remote']

/** Where the project's own files are. */
const SOURCES = '{src,web/src,test,scripts,bench}/**/*.{ts,tsx}'
const MOST_LINES = 400

/** Of a forge, all outside of `forges` know the port. The one file that chooses among them lives in there, too. */
const FORGES = 'src/forges/'

export interface LayerProblem {
  file: string
  imports: string
  why: string
}

/** A file that is longer than `MOST_LINES`. */
export function lengthProblem(file: string, source: string): LayerProblem | null {
  const lines = source.split('\n').length - 1
  if (lines <= MOST_LINES) return null
  return { file, imports: `${lines} lines`, why: `has more than ${MOST_LINES} lines: split it by concept` }
}

/** Checks one file's imports; paths are relative to `src`. */
export function problemsOf(file: string, imports: readonly string[]): LayerProblem[] {
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

/** Tests too: what they try is to hold on every forge. Paths are relative to the root of the project. */
export function forgeProblems(file: string, imports: readonly string[]): LayerProblem[] {
  if (file.startsWith(FORGES)) return []
  const targets = imports.map((specifier) => normalize(join(dirname(file), specifier)))
  const insides = targets.filter((target) => target.startsWith(FORGES) && target.slice(FORGES.length).includes('/'))
  const why = 'only the port is known outside of forges: go by forges/forge.ts and forges/forges.ts'
  return insides.map((target) => ({ file: join('..', file), imports: target, why }))
}

/** All imports that reach past the port, wherever they stand. */
export function pastThePort(root: string): LayerProblem[] {
  const files = globSync(SOURCES, { cwd: root })
  return files.flatMap((file) => forgeProblems(file, importsOf(readFileSync(join(root, file), 'utf8'))))
}

/** A circle in a graph, as the list of nodes on it with the first one again at its end, or null. */
export function findCircle(graph: ReadonlyMap<string, readonly string[]>): string[] | null {
  const done = new Set<string>()
  const path: string[] = []
  const visit = (node: string): string[] | null => {
    if (done.has(node)) return null
    const at = path.indexOf(node)
    if (at !== -1) return [...path.slice(at), node]
    path.push(node)
    for (const next of graph.get(node) ?? []) {
      const circle = visit(next)
      if (circle) return circle
    }
    path.pop()
    done.add(node)
    return null
  }
  for (const node of graph.keys()) {
    const circle = visit(node)
    if (circle) return circle
  }
  return null
}

/** Units of one folder that import each other in a circle, with one file import for each step of it. */
export function hallProblem({ folder, imports }: Hall): LayerProblem | null {
  const circle = findCircle(new Map([...imports].map(([unit, targets]) => [unit, [...targets.keys()]])))
  if (!circle) return null
  const steps = circle.slice(1).map((unit, at) => imports.get(circle[at]!)?.get(unit))
  return { file: folder, imports: steps.join('; '), why: `its units import each other: ${circle.join(' → ')}` }
}

export function checkHouse(src: string): { problems: LayerProblem[]; halls: Map<string, Hall> } {
  const graph = importGraph(src)
  const problems: LayerProblem[] = []
  for (const [file, targets] of graph) {
    if (file.endsWith('.test.ts')) continue
    const specifiers = targets.map((target) => relative(dirname(file), target))
    problems.push(...problemsOf(file, specifiers))
  }
  const circle = findCircle(graph)
  if (circle) problems.push({ file: circle[0]!, imports: circle.join(' → '), why: 'imports in a circle' })
  const halls = hallsOf(graph)
  for (const hall of halls.values()) {
    const problem = hallProblem(hall)
    if (problem) problems.push(problem)
  }
  return { problems, halls }
}

/** All files that are too long, relative to `src` as those of the house are. */
export function longFiles(root: string): LayerProblem[] {
  const files = globSync(SOURCES, { cwd: root })
  return files.flatMap((file) => lengthProblem(join('..', file), readFileSync(join(root, file), 'utf8')) ?? [])
}

/** The web application knows the server by its API only, as any other client does. */
export function webProblems(web: string): LayerProblem[] {
  return globSync('src/**/*.{ts,tsx}', { cwd: web }).flatMap((file) => {
    const imports = [...readFileSync(join(web, file), 'utf8').matchAll(/(?:from|import\()\s*'(\.[^']*)'/g)]
    const outside = imports
      .map(([, target]) => target!)
      .filter((target) => normalize(join(dirname(file), target)).startsWith('..'))
    return outside.map((target) => ({
      file: join('..', 'web', file),
      imports: target,
      why: 'leaves the web application',
    }))
  })
}

if (import.meta.main) {
  const src = join(import.meta.dirname, '..', 'src')
  const { problems, halls } = checkHouse(src)
  problems.push(...webProblems(join(src, '..', 'web')), ...longFiles(join(src, '..')), ...pastThePort(join(src, '..')))
  for (const { file, imports, why } of problems) console.error(`${relative('.', join(src, file))}: ${why} (${imports})`)
  const asked = process.argv.map((word) => /^--house(?:=(.+))?$/.exec(word)).find((match) => match !== null)
  if (asked) console.log(houseTable(halls, asked[1] === undefined ? undefined : hallsAt(join(src, '..'), asked[1])))
  if (problems.length > 0) process.exit(1)
}
