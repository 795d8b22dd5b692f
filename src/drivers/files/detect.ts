import { posix } from 'node:path'
import type { Detected, Proposal } from '../proposal.ts'

const ABOUT_THE_REPOSITORY = ['trueup.yaml', '*.md', 'LICENSE*', 'CODEOWNERS', '.*', '.*/**', 'test/**', 'docs/**']

/** Files that other tools read as their own: what lies beside or below them is theirs. */
const OTHER_TOOLS =
  /(^|\/)(.*\.tf|ansible\.cfg|site\.ya?ml|Chart\.yaml|kustomization\.ya?ml|metadata\.rb|Puppetfile|Policyfile\.rb)$/
/** Marks of a repository as a whole, in which Compose projects are nevertheless projects. */
const WHOLE_REPOSITORIES = /(^|\/)(ansible\.cfg|site\.ya?ml)$/
/** Directories whose content is some other tool's, an example, or a test's. */
const OTHERS =
  /(^|\/)(roles|modules|cookbooks|charts|templates|node_modules|vendor|test|tests|testdata|fixtures|examples?|docs|src|\.[^/]+)(\/|$)/

/**
 * Directories that look like a piece of a host: `…/etc/…` trees, nginx configurations, Compose projects. Careful on
 * purpose: a proposal names a target, and people read it before it does anything.
 */
export function detect(files: readonly string[]): Promise<Detected> {
  const marks = files.filter((file) => OTHER_TOOLS.test(file))
  const isTaken = (path: string, byWhom: (mark: string) => boolean): boolean =>
    marks.some((mark) => byWhom(mark) && isWithin(path, posix.dirname(mark)))
  const proposals = new Map<string, Proposal>()
  const leftOut = new Map<string, string>()
  for (const file of files) {
    const proposal = proposalFor(file)
    if (!proposal || proposals.has(proposal.path)) continue
    const { path } = proposal
    if (OTHERS.test(path)) leftOut.set(path, "an example, a test, source code or another tool's")
    else if (isTaken(path, (mark) => !isCompose(posix.basename(file)) || !WHOLE_REPOSITORIES.test(mark)))
      leftOut.set(path, "it lies in another tool's directory")
    else proposals.set(path, proposal)
  }
  return Promise.resolve({
    stacks: (proposals.size === 0 ? rootProject(files) : outermost(proposals)).map((stack) => doubted(stack, files)),
    leftOut: [...leftOut].filter(([path]) => !proposals.has(path)).map(([path, why]) => ({ path, why })),
  })
}

const isWithin = (path: string, directory: string): boolean =>
  directory === '.' || path === directory || path.startsWith(`${directory}/`)

/** A project that brings the source of its images is as often an example, or for developers. */
function doubted(stack: Proposal, files: readonly string[]): Proposal {
  const builds = files.some((file) => /(^|\/)(Dockerfile|Containerfile)[^/]*$/.test(file) && isWithin(file, stack.path))
  return stack.why === COMPOSE && builds
    ? { ...stack, confidence: 'unsure', why: `${COMPOSE} that builds its images` }
    : stack
}

const COMPOSE = 'Compose project'

function outermost(proposals: ReadonlyMap<string, Proposal>): Proposal[] {
  const paths = [...proposals.keys()]
  const below = (path: string, other: string): boolean => other === '.' || path.startsWith(`${other}/`)
  const chosen = paths.filter((path) => !paths.some((other) => other !== path && below(path, other)))
  const projects = chosen.filter((path) => proposals.get(path)?.with?.target === composeTarget(path))
  const namesakes = (path: string): number =>
    projects.filter((one) => composeTarget(one) === composeTarget(path)).length
  return chosen.sort().map((path) => {
    // Two projects in one directory of the host would overwrite each other.
    if (projects.includes(path) && namesakes(path) > 1) return compose(path, `/srv/${path.replaceAll('/', '-')}`)
    return proposals.get(path) ?? { path }
  })
}

/** The worker is rarely the host that such a tree was written for, and a wrong /etc can cost the machine. */
const ownHost = (target: string): string =>
  `it would write ${target} of the worker's own host: run a worker on the host that it is meant for, and only there`

function proposalFor(file: string): Proposal | null {
  const etc = /^(.*\/)?etc\/[^/]+/.exec(file)
  if (etc)
    return { path: `${etc[1] ?? ''}etc`, with: { target: '/etc' }, why: 'a tree like /etc', danger: ownHost('/etc') }
  const directory = posix.dirname(file)
  const name = posix.basename(file)
  if (name === 'nginx.conf') {
    const nginx = { target: '/etc/nginx', check: 'nginx -t -p {tree} -c {tree}/nginx.conf', reload: 'nginx -s reload' }
    // A repository that is the configuration as a whole also holds what is about the repository.
    const settings = directory === '.' ? { ...nginx, exclude: ABOUT_THE_REPOSITORY } : nginx
    return { path: directory, with: settings, why: 'nginx.conf', danger: ownHost('/etc/nginx') }
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
  return [{ path, with: { ...settings, exclude }, why: COMPOSE, confidence: 'likely' }]
}

const composeTarget = (directory: string): string => `/srv/${posix.basename(directory)}`

const compose = (path: string, target: string): Proposal => ({
  path,
  why: COMPOSE,
  confidence: 'likely',
  with: { target, reload: `docker compose --project-directory ${target} up --detach --remove-orphans` },
})
