import { posix } from 'node:path'
import type { Json } from '../../lib/json.ts'

const ABOUT_THE_REPOSITORY = ['trueup.yaml', '*.md', 'LICENSE*', 'CODEOWNERS', '.*', '.*/**', 'test/**', 'docs/**']

interface Proposal {
  path: string
  with?: { [key: string]: Json }
}

/** Files that other tools read as their own: what lies beside or below them is theirs. */
const OTHER_TOOLS =
  /(^|\/)(.*\.tf|ansible\.cfg|site\.ya?ml|Chart\.yaml|kustomization\.ya?ml|metadata\.rb|Puppetfile|Policyfile\.rb)$/
/** Directories whose content is some other tool's, an example, or a test's. */
const OTHERS =
  /(^|\/)(roles|modules|cookbooks|charts|templates|node_modules|vendor|test|tests|testdata|fixtures|examples?|docs|src|\.[^/]+)(\/|$)/

/**
 * Directories that look like a piece of a host: `…/etc/…` trees, nginx configurations, Compose projects. Careful on
 * purpose: a proposal names a target, and people read it before it does anything.
 */
export function detect(files: readonly string[]): Promise<Proposal[]> {
  const taken = files.filter((file) => OTHER_TOOLS.test(file)).map((file) => posix.dirname(file))
  const isTaken = (path: string): boolean =>
    OTHERS.test(path) ||
    taken.some((directory) => directory === '.' || path === directory || path.startsWith(`${directory}/`))
  const proposals = new Map<string, Proposal>()
  for (const file of files) {
    const proposal = proposalFor(file)
    if (proposal && !isTaken(proposal.path) && !proposals.has(proposal.path)) proposals.set(proposal.path, proposal)
  }
  if (proposals.size === 0) return Promise.resolve(rootProject(files))
  const paths = [...proposals.keys()]
  const below = (path: string, other: string): boolean => other === '.' || path.startsWith(`${other}/`)
  const outermost = paths.filter((path) => !paths.some((other) => other !== path && below(path, other)))
  const projects = outermost.filter((path) => proposals.get(path)?.with?.target === composeTarget(path))
  const namesakes = (path: string): number =>
    projects.filter((one) => composeTarget(one) === composeTarget(path)).length
  return Promise.resolve(
    outermost.sort().map((path) => {
      // Two projects in one directory of the host would overwrite each other.
      if (projects.includes(path) && namesakes(path) > 1) return compose(path, `/srv/${path.replaceAll('/', '-')}`)
      return proposals.get(path) ?? { path }
    }),
  )
}

function proposalFor(file: string): Proposal | null {
  const etc = /^(.*\/)?etc\/[^/]+/.exec(file)
  if (etc) return { path: `${etc[1] ?? ''}etc`, with: { target: '/etc' } }
  const directory = posix.dirname(file)
  const name = posix.basename(file)
  if (name === 'nginx.conf') {
    const nginx = { target: '/etc/nginx', check: 'nginx -t -p {tree} -c {tree}/nginx.conf', reload: 'nginx -s reload' }
    // A repository that is the configuration as a whole also holds what is about the repository.
    return { path: directory, with: directory === '.' ? { ...nginx, exclude: ABOUT_THE_REPOSITORY } : nginx }
  }
  if (directory === '.') return null
  return isCompose(name) ? compose(directory, composeTarget(directory)) : null
}

const isCompose = (name: string): boolean => /^(docker-)?compose\.ya?ml$/.test(name)

/** What a program's source has at its root: a Compose project beside it is for its developers. */
const PROGRAM =
  /^(Dockerfile.*|Containerfile|Makefile|CMakeLists\.txt|package\.json|go\.mod|Cargo\.toml|pom\.xml|build\.gradle.*|pyproject\.toml|setup\.py|requirements.*\.txt|Gemfile|composer\.json|mix\.exs|.*\.(sln|csproj|py|js|ts|go|rb|php))$/

/** The repository as a whole, where it is one Compose project and nothing else that could be deployed. */
function rootProject(files: readonly string[]): Proposal[] {
  if (!files.some(isCompose) || files.some((file) => PROGRAM.test(file) || OTHER_TOOLS.test(file))) return []
  const { path, with: settings } = compose('.', '/srv/app')
  // `.env` is the project's.
  const exclude = [...ABOUT_THE_REPOSITORY.filter((glob) => !glob.startsWith('.')), '.git*', '.git*/**']
  return [{ path, with: { ...settings, exclude } }]
}

const composeTarget = (directory: string): string => `/srv/${posix.basename(directory)}`

const compose = (path: string, target: string): Proposal => ({
  path,
  with: { target, reload: `docker compose --project-directory ${target} up --detach --remove-orphans` },
})
