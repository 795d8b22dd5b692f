import { posix } from 'node:path'
import picomatch from 'picomatch'
import type { WorkingTree } from '../local/working-tree.ts'
import { type Fields, fields, list, scalar, text } from '../init/manifests.ts'
import { terragrunt } from '../init/other-tools.ts'
import { documentOf } from './document.ts'
import { type DriftRule, type Imported, type Project, terraformProject } from './imported.ts'
import { rootModules, terragruntUnits } from './root-modules.ts'
import { settled, type Step } from './terraform-steps.ts'

const FILES = ['.terrateam/config.yml', '.terrateam/config.yaml']

/** Settings of the whole file that have no equal, with what to do instead. */
const TOP: { [key: string]: string } = {
  access_control: 'roles of people and teams: `trueup member set`, and `approvals.from` of environments',
  automerge: 'the merge comes first here, and is the order to apply',
  hooks: 'put what judges a plan into `checks:` of stacks, what looks afterwards into `verify:`',
  cost_estimation: 'a command in `checks:` can say what a plan costs',
  config_builder: 'write stacks with globs and `{environment}` instead',
  tree_builder: 'write stacks with globs and `{environment}` instead',
  stacks: 'say what comes first with `needs:` of stacks',
  storage: 'plans are kept by Trueup itself',
  notifications: 'webhooks and commands can tell others',
}

interface Place {
  path: string
  workspace?: string
  tags: Set<string>
  patterns: string[]
  /** Directories that come before it. */
  needs: string[]
}

/** `.terrateam/config.yml` of the repository; null where there is none. */
export async function importTerrateam(tree: WorkingTree): Promise<Imported | null> {
  const file = FILES.find((name) => tree.files.includes(name))
  if (file === undefined) return null
  const config = await documentOf(tree, file)
  const imported: Imported = { tool: 'terrateam', files: [file], projects: [], noEqual: [] }
  const say = (what: string): void => void imported.noEqual.push({ path: file, why: what })
  for (const key of Object.keys(config)) if (TOP[key] !== undefined) say(`\`${key}\`: ${TOP[key]}`)
  const checks = list(fields(config['apply_requirements'])['checks']).map(fields)
  for (const { tag_query: query } of [...list(config['workflows']).map(fields), ...checks])
    if (BEYOND_LISTS.test(text(query) ?? ''))
      say(`the tag query \`${text(query)}\`: only lists of tags are read, so what it chooses is not taken over`)
  for (const place of await placesOf(tree, config)) {
    const workflow =
      list(config['workflows'])
        .map(fields)
        .find((one) => matches(one['tag_query'], place)) ?? {}
    const engine = { ...fields(config['engine']), ...fields(workflow['engine']) }
    const rule = checks.find((one) => matches(one['tag_query'], place))
    const { project, noEqual } = settled(
      projectOf(place, {
        workflow,
        engine,
        approved: fields(rule?.['approved']),
        version: config['default_tf_version'],
      }),
      [...list(workflow['plan']), ...list(workflow['apply'])].map((one) => stepOf(fields(one))),
      { tree, known: { TERRATEAM_DIR: place.path, TERRATEAM_WORKSPACE: place.workspace ?? 'default' } },
    )
    const tool = text(engine['name'])
    if (tool !== undefined && !['terraform', 'tofu', 'terragrunt'].includes(tool))
      say(`${place.path}: the engine ${tool}: write a command stack around it`)
    else imported.projects.push(project)
    for (const what of noEqual) say(`${place.path}: ${what}`)
    const people = [...list(fields(rule?.['approved'])['any_of']), ...list(fields(rule?.['approved'])['all_of'])].map(
      String,
    )
    if (people.length > 0)
      say(`approvals of ${people.join(', ')}: name them in \`approvals.from\` of ${place.path}'s environment`)
  }
  const drift = driftOf(fields(config['drift']), say)
  return drift === null ? imported : { ...imported, drift }
}

/** What makes of a tag query more than a list of tags. */
const BEYOND_LISTS = /\b(or|not|in)\b|[()]/

/** A tag query as far as lists of tags go: all of them must be there. */
function matches(query: unknown, { tags }: Place): boolean {
  if (BEYOND_LISTS.test(text(query) ?? '')) return false
  const words = (text(query) ?? '').split(/\s+and\s+|\s+/).filter(Boolean)
  return words.every((word) => tags.has(word))
}

function projectOf(
  { path, workspace, patterns, needs }: Place,
  { workflow, engine, approved, version }: { workflow: Fields; engine: Fields; approved: Fields; version: unknown },
): Project {
  const environment = text(workflow['environment'])
  const count = approved['any_of_count']
  const toolVersion = scalar(engine['tf_version']) ?? scalar(engine['version']) ?? scalar(version)
  const base: Project = {
    ...terraformProject(path, 'a directory of Terrateam'),
    ...(environment !== undefined && { environment }),
    needs,
    watch: beside(path, patterns),
    ...(toolVersion !== undefined && toolVersion !== 'latest' && { toolVersion }),
    ...(approved['enabled'] === true && { approvals: typeof count === 'number' ? count : 1 }),
  }
  if (workflow['terragrunt'] === true || engine['name'] === 'terragrunt')
    return { ...base, driver: 'command', with: terragrunt(path).with ?? {} }
  return {
    ...base,
    with: {
      ...(engine['name'] === 'tofu' && { tool: 'tofu' }),
      ...(workspace !== undefined && workspace !== 'default' && { workspace }),
    },
  }
}

/** Patterns stand from the root there; what leads out of the root is meant from the directory. */
const beside = (path: string, patterns: readonly string[]): string[] =>
  patterns
    .map((pattern) => pattern.replaceAll('${DIR}', path))
    .map((glob) => (/^\.\.?\//.test(glob) ? posix.join(path, glob) : glob))
    .filter((glob) => !glob.startsWith('!') && !glob.startsWith(`${path}/`) && path !== '.')

function stepOf(step: Fields): Step {
  const args = list(step['extra_args']).map(String)
  const kind = text(step['type']) ?? ''
  if (kind === 'init' || kind === 'plan' || kind === 'apply') return { kind, args, text: kind }
  if (kind === 'run') return { kind, args: [], text: list(step['cmd']).join(' ') }
  if (kind === 'env') return { kind, args: [text(step['name']) ?? 'that a script gives', ''], text: kind }
  return { kind: 'other', args: [], text: kind }
}

/** Directories with their workspaces: those that are named or match the longest glob, and all other root modules. */
async function placesOf(tree: WorkingTree, config: Fields): Promise<Place[]> {
  const given = Object.entries(fields(config['dirs'])).toSorted(([a], [b]) => b.length - a.length)
  const roots = [...new Set([...(await rootModules(tree)), ...terragruntUnits(tree)])].toSorted()
  return roots.flatMap((path): Place[] => {
    const [, rule = {}] = given.find(([glob]) => glob === path || picomatch.isMatch(path, directoriesOf(glob))) ?? []
    const { tags, workspaces, when_modified: modified } = fields(rule)
    const patterns = fields(modified)['file_patterns'] ?? fields(config['when_modified'])['file_patterns']
    // An empty list switches the directory off.
    if (Array.isArray(patterns) && patterns.length === 0) return []
    const names = Object.keys(fields(workspaces))
    return (names.length === 0 ? ['default'] : names).map((workspace) => ({
      path,
      ...(names.length > 0 && { workspace }),
      tags: new Set([
        ...list(tags).map(String),
        ...list(fields(fields(workspaces)[workspace])['tags']).map(String),
        `dir:${path}`,
        `workspace:${workspace}`,
      ]),
      patterns: list(fields(fields(fields(workspaces)[workspace])['when_modified'])['file_patterns'] ?? patterns).map(
        String,
      ),
      needs: before(path, fields(modified)['depends_on']),
    }))
  })
}

/** Directories of a `depends_on`: `dir:network`, `relative_dir:../core`. */
const before = (path: string, query: unknown): string[] =>
  [...(text(query) ?? '').matchAll(/\b(relative_)?dir:([^\s()]+)/g)].map(([, relative, directory = '']) =>
    relative === undefined ? directory : posix.join(path, directory),
  )

/** A glob may go down to a file, whose directory is meant. */
const directoriesOf = (glob: string): string[] => [
  glob,
  glob.replace(/\/[^/]*\.(hcl|tf)$/, ''),
  glob.replace(/\/\*\*$/, ''),
]

const INTERVALS: { [schedule: string]: string } = { hourly: '1h', daily: '1d', weekly: '7d', monthly: '30d' }

function driftOf(drift: Fields, say: (what: string) => void): DriftRule | null {
  if (drift['enabled'] !== true) return null
  const schedules = Object.values(fields(drift['schedules'])).map(fields)
  const [first = drift] = schedules
  if (schedules.length > 1)
    say('several `drift` schedules: the first one counts; say the others with `drift:` of stacks')
  if (schedules.some((one) => one['window'] !== undefined))
    say('the windows of `drift`: `windows:` of environments hold for heals, too')
  const interval = INTERVALS[text(first['schedule']) ?? '']
  return { mode: first['reconcile'] === true ? 'enforce' : 'observe', ...(interval !== undefined && { interval }) }
}
