/**
 * `npm run new-driver NAME`: a driver with all its corridors (CONTRIBUTING.md), known to the registry, to the documents and
 * to the conformance suite. It compiles, finds its tool, and does nothing yet.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { enlist, skeleton } from './new-driver/skeleton.ts'

const REGISTRY = 'src/drivers/registry.ts'
const DOCUMENTS = 'docs/README.md'

/** Why no driver of this name can be made in the project at `root`, or null. */
export function refusal(root: string, name: string | undefined): string | null {
  if (name === undefined || name === '') return 'name the driver: npm run new-driver pulumi'
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name) || name.length > 40)
    return `"${name}" cannot name a driver: use lower-case letters, digits and single hyphens, as in "cloud-init"`
  if (readdirSync(join(root, 'src/drivers')).some((entry) => entry.replace(/\.ts$/, '') === name))
    return `there is a src/drivers/${name} already: choose another name`
  const taken = [...skeleton(name).keys()].find((path) => existsSync(join(root, path)))
  return taken === undefined ? null : `there is a ${taken} already: choose another name, or move it away`
}

/** Writes the driver into the project at `root`; the paths that were written. Throws before it writes anything. */
export async function newDriver(root: string, name: string | undefined): Promise<string[]> {
  const why = refusal(root, name)
  if (why !== null || name === undefined) throw new Error(why ?? '')
  const read = (path: string): Promise<string> => readFile(join(root, path), 'utf8')
  const { registry, documents } = enlist(name, { registry: await read(REGISTRY), documents: await read(DOCUMENTS) })
  // The lists come last: before, half a driver is known to nobody.
  const files = [...skeleton(name), [REGISTRY, registry] as const, [DOCUMENTS, documents] as const]
  for (const [path, text] of files) {
    await mkdir(dirname(join(root, path)), { recursive: true })
    await writeFile(join(root, path), text)
  }
  const paths = files.map(([path]) => path)
  // How a line is broken depends on how long the name is.
  const sources = paths.filter((path) => path.endsWith('.ts'))
  execFileSync(join(root, 'node_modules/.bin/biome'), ['format', '--write', ...sources], { cwd: root, stdio: 'ignore' })
  return paths
}

if (import.meta.main) {
  const [name, ...more] = process.argv.slice(2)
  try {
    if (more.length > 0) throw new Error(`one name at a time: what is "${more.join(' ')}"?`)
    const written = await newDriver(join(import.meta.dirname, '..'), name)
    console.log(
      `${written.join('\n')}\n\nNow: npm run generate && npm run check && npm test -- test/conformance/${name}.test.ts`,
    )
    console.log('What each room is for stands in CONTRIBUTING.md, "The corridors of a driver".')
  } catch (thrown) {
    console.error(`making a driver: ${thrown instanceof Error ? thrown.message : String(thrown)}`)
    process.exitCode = 1
  }
}
