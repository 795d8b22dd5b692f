import { cpSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, dirname, extname, join } from 'node:path'
import { relinked } from './links.ts'

/** Pages of the repository outside of docs/ that belong to the documentation, and where the site has them. */
const OTHERS = new Map([
  ['CHANGELOG.md', 'changelog.md'],
  ['ARCHITECTURE.md', 'architecture.md'],
  ['CONTRIBUTING.md', 'contributing.md'],
  ['README.md', 'start.md'],
])

/** Writes the sources of the site into `to`: the documentation, what it links, and a page for each example. */
export function writeSources(root: string, to: string): void {
  const docs = globSync('docs/**/*', { cwd: root, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
  const examples = globSync('examples/*', { cwd: root })
  const pages = new Map([
    ...docs.map((path): [string, string] => [path, placeOf(path.slice('docs/'.length))]),
    ...OTHERS,
    ...examples.map((path): [string, string] => [path, `${path}.md`]),
  ])
  // Files of an example are shown on its page.
  for (const path of examples) for (const file of filesOf(root, path)) pages.set(join(path, file), `${path}.md`)
  for (const [path, target] of pages) {
    if (path.startsWith('examples/')) continue
    mkdirSync(join(to, dirname(target)), { recursive: true })
    if (extname(path) !== '.md') cpSync(join(root, path), join(to, target))
    else writeFileSync(join(to, target), relinked(readFileSync(join(root, path), 'utf8'), { path, target, pages }))
  }
  mkdirSync(join(to, 'examples'), { recursive: true })
  for (const path of examples) writeFileSync(join(to, `${path}.md`), examplePage(root, path))
}

const placeOf = (path: string): string => path.replace(/(^|\/)README\.md$/, '$1index.md')

const filesOf = (root: string, path: string): string[] =>
  globSync('**/*', { cwd: join(root, path), withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(join(root, path).length + 1))
    .sort()

/** The files of an example, one below the other. */
function examplePage(root: string, path: string): string {
  const parts = filesOf(root, path).map((file) => {
    const text = readFileSync(join(root, path, file), 'utf8')
    const fence = '`'.repeat(Math.max(3, ...[...text.matchAll(/`+/g)].map(([run]) => run.length + 1)))
    return `## ${file}\n\n${fence}${LANGUAGES.get(extname(file)) ?? 'text'}\n${text.trimEnd()}\n${fence}\n`
  })
  return [`# Example: ${basename(path)}\n`, `\`${path}\` of the repository.\n`, ...parts].join('\n')
}

const LANGUAGES = new Map([
  ['.yaml', 'yaml'],
  ['.yml', 'yaml'],
  ['.tf', 'hcl'],
  ['.tfvars', 'hcl'],
  ['.hcl', 'hcl'],
  ['.json', 'json'],
  ['.py', 'python'],
  ['.sh', 'bash'],
  ['.rb', 'ruby'],
  ['.pp', 'puppet'],
  ['.service', 'ini'],
  ['.md', 'markdown'],
])
