import picomatch from 'picomatch'
import type { WorkingTree } from '../local/working-tree.ts'
import { fields, list, scalar, text } from '../init/manifests.ts'
import { directoryOf } from '../init/claim.ts'
import { documentOf } from './document.ts'
import { type Imported, type Project, terraformProject } from './imported.ts'
import { rootModules } from './root-modules.ts'
import { type Step, settled, stepsOf, watched } from './terraform-steps.ts'

const FILES = ['atlantis.yaml', 'atlantis.yml']

/** Settings of the whole file, with what stands for them here; null where nothing is lost. */
const TOP: { [key: string]: string | null } = {
  version: null,
  projects: null,
  workflows: null,
  autodiscover: null,
  parallel_plan: null,
  parallel_apply: null,
  automerge: 'the merge comes first here, and is the order to apply',
  delete_source_branch_on_merge: 'the forge has a setting for it',
  abort_on_execution_order_fail: null,
  allowed_regexp_prefixes: null,
  silence_pr_comments: 'one comment is kept up to date in place',
  emoji_reaction: null,
}

/** `atlantis.yaml` of the repository; null where there is none. */
export async function importAtlantis(tree: WorkingTree): Promise<Imported | null> {
  const file = FILES.find((name) => tree.files.includes(name))
  if (file === undefined) return null
  const config = await documentOf(tree, file)
  const imported: Imported = { tool: 'atlantis', files: [file], projects: [], noEqual: [] }
  const say = (what: string): void => void imported.noEqual.push({ path: file, why: what })
  for (const key of Object.keys(config)) {
    const instead = Object.hasOwn(TOP, key) ? TOP[key] : 'Trueup has no such setting'
    if (instead !== null) say(`\`${key}\`: ${instead}`)
  }
  const workflows = fields(config['workflows'])
  const used = new Set<string>()
  for (const given of list(config['projects']).map(fields)) {
    const workflow = text(given['workflow'])
    if (workflow !== undefined) used.add(workflow)
    const steps = workflow === undefined ? [] : stepsIn(fields(workflows[workflow]))
    if (workflow !== undefined && workflows[workflow] === undefined)
      say(`the workflow \`${workflow}\` of ${nameOf(given)} stands on the Atlantis server: look there for its steps`)
    const { project, noEqual } = settled(projectOf(given), steps, { tree, known: known(given) })
    imported.projects.push(project)
    for (const what of noEqual) say(`workflow ${workflow}: ${what}`)
    if (text(given['branch']) !== undefined) say(`${nameOf(given)}: \`branch\`: Trueup enacts the default branch`)
    if (fields(given['autoplan'])['enabled'] === false)
      say(`${nameOf(given)}: \`autoplan: { enabled: false }\`: every change of a stack is planned here`)
  }
  for (const name of Object.keys(workflows))
    if (!used.has(name)) say(`the workflow \`${name}\`, which no project names`)
  imported.projects.push(...(await discovered(tree, config, imported.projects)))
  return imported
}

const nameOf = (given: { [key: string]: unknown }): string =>
  `project ${text(given['name']) ?? text(given['dir']) ?? '.'}`

const stepsIn = (workflow: { [key: string]: unknown }): Step[] =>
  ['plan', 'apply'].flatMap((phase) => stepsOf(fields(workflow[phase])['steps']))

function projectOf(given: { [key: string]: unknown }): Project {
  const path = directoryOf(text(given['dir']) ?? '.')
  const name = text(given['name'])
  const workspace = text(given['workspace'])
  const version = scalar(given['terraform_version'])
  const group = given['execution_order_group']
  const asks = [...list(given['apply_requirements']), ...list(given['plan_requirements'])].includes('approved')
  return {
    ...terraformProject(path, `${nameOf(given)} of Atlantis`),
    ...(name !== undefined && { name }),
    with: {
      ...(text(given['terraform_distribution']) === 'opentofu' && { tool: 'tofu' }),
      ...(workspace !== undefined && workspace !== 'default' && { workspace }),
    },
    needs: list(given['depends_on']).map(String),
    ...(typeof group === 'number' && { group }),
    watch: watched(path, list(fields(given['autoplan'])['when_modified']).map(String)),
    ...(version !== undefined && { toolVersion: version.replace(/^v/, '') }),
    ...(asks && { approvals: 1 }),
  }
}

/** Variables that Atlantis gives to steps. */
const known = (given: { [key: string]: unknown }): { [name: string]: string } => ({
  WORKSPACE: text(given['workspace']) ?? 'default',
  PROJECT_NAME: text(given['name']) ?? '',
  REPO_REL_DIR: text(given['dir']) ?? '.',
})

/** Root modules that it finds by itself: where no project is written down, or where it says so. */
async function discovered(
  tree: WorkingTree,
  config: { [key: string]: unknown },
  written: readonly Project[],
): Promise<Project[]> {
  const { mode = 'auto', ignore_paths: ignored } = fields(config['autodiscover'])
  if (mode === 'disabled' || (mode === 'auto' && written.length > 0)) return []
  const isIgnored = picomatch(list(ignored).map(String))
  const roots = await rootModules(tree)
  return roots
    .filter((path) => !isIgnored(path) && !written.some((one) => one.path === path))
    .map((path) => terraformProject(path, 'found by Atlantis itself'))
}
