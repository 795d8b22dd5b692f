import picomatch from 'picomatch'
import type { WorkingTree } from '../local/working-tree.ts'
import { directoryOf } from '../init/claim.ts'
import { type Fields, fields, list, text } from '../init/manifests.ts'
import { terragrunt } from '../init/other-tools.ts'
import { documentOf } from './document.ts'
import { type Imported, type Project, terraformProject } from './imported.ts'
import { rootModules, terragruntUnits } from './root-modules.ts'
import { settled, stepsOf, watched } from './terraform-steps.ts'

const FILES = ['digger.yml', 'digger.yaml']

/** Settings of the whole file, with what stands for them here. What is not named says only how Digger itself talks and runs. */
const TOP: { [key: string]: string } = {
  auto_merge: 'the merge comes first here, and is the order to apply',
  auto_merge_strategy: 'the merge comes first here: squash or not is said there',
  allow_draft_prs: 'drafts are planned here, and not merged',
  pr_locks: 'there is no lock to be left behind: deployments of one stack are queued',
}

/** `digger.yml` of the repository; null where there is none. */
export async function importDigger(tree: WorkingTree): Promise<Imported | null> {
  const file = FILES.find((name) => tree.files.includes(name))
  if (file === undefined) return null
  const config = await documentOf(tree, file)
  const imported: Imported = { tool: 'digger', files: [file], projects: [], noEqual: [] }
  const say = (what: string): void => void imported.noEqual.push({ path: file, why: what })
  for (const key of Object.keys(config)) if (TOP[key] !== undefined) say(`\`${key}\`: ${TOP[key]}`)
  const workflows = fields(config['workflows'])
  const useLayers = config['respect_layers'] === true
  for (const given of [...list(config['projects']).map(fields), ...(await generated(tree, config))]) {
    const name = `project ${text(given['name']) ?? text(given['dir'])}`
    if (given['pulumi'] === true) {
      say(`${name}: Pulumi: write a command stack around \`pulumi preview\` and \`pulumi up\``)
      continue
    }
    const rules = text(given['workflow']) ?? 'default'
    const workflow = fields(workflows[rules])
    const steps = ['plan', 'apply'].flatMap((phase) => stepsOf(fields(workflow[phase])['steps']))
    const known = { PROJECT_NAME: text(given['name']) ?? '' }
    const { project, noEqual } = settled(projectOf(given, useLayers), steps, { tree, known })
    imported.projects.push(project)
    for (const what of noEqual) say(`workflow ${rules}: ${what}`)
    const variables = [
      ...list(fields(workflow['env_vars'])['state']),
      ...list(fields(workflow['env_vars'])['commands']),
    ]
    const names = [...new Set(variables.map((one) => String(fields(one)['name'])))]
    if (names.length > 0)
      say(`workflow ${rules}: the variables ${names.join(', ')}: keep them by \`trueup variable set\``)
    if (given['aws_role_to_assume'] !== undefined || given['aws_cognito_oidc'] !== undefined)
      say(`${name}: the AWS roles: keep credentials for plans and for applies by \`trueup variable set --phase\``)
    if (text(given['branch']) !== undefined) say(`${name}: \`branch\`: Trueup enacts the default branch`)
    if (given['drift_detection'] === false)
      say(`${name}: \`drift_detection: false\`: every deployed stack is looked at here`)
  }
  return imported
}

function projectOf(given: Fields, useLayers: boolean): Project {
  const path = directoryOf(text(given['dir']) ?? '.')
  const [name, workspace] = [text(given['name']), text(given['workspace'])]
  const why = name === undefined ? 'found by Digger itself' : `project ${name} of Digger`
  const base: Project = {
    ...terraformProject(path, why),
    ...(name !== undefined && { name }),
    needs: list(given['depends_on']).map(String),
    ...(useLayers && typeof given['layer'] === 'number' && { group: given['layer'] }),
    watch: watched(path, list(given['include_patterns']).map(String)),
    ...(list(given['apply_requirements']).includes('approved') && { approvals: 1 }),
  }
  if (given['terragrunt'] === true) return { ...base, driver: 'command', with: terragrunt(path).with ?? {} }
  return {
    ...base,
    with: {
      ...(given['opentofu'] === true && { tool: 'tofu' }),
      ...(workspace !== undefined && workspace !== 'default' && { workspace }),
    },
  }
}

/** What `generate_projects` makes, as projects without names: Digger names them by their directories. */
async function generated(tree: WorkingTree, config: Fields): Promise<Fields[]> {
  if (config['generate_projects'] === undefined) return []
  const rules = fields(config['generate_projects'])
  const blocks = list(rules['blocks']).map(fields)
  const made: Fields[] = []
  for (const block of blocks.length > 0 ? blocks : [rules]) {
    const isTerragrunt = block['terragrunt'] === true
    const paths = isTerragrunt ? terragruntUnits(tree) : await rootModules(tree)
    const within = directoryOf(text(block['root_dir']) ?? '.')
    const [include, exclude] = [text(block['include']), text(block['exclude'])]
    const isIncluded =
      include === undefined || isTerragrunt ? () => true : picomatch([include, include.replace(/\/\*\*$/, '')])
    const isExcluded = exclude === undefined || isTerragrunt ? () => false : picomatch(exclude)
    for (const dir of paths)
      if (isIncluded(dir) && !isExcluded(dir) && (within === '.' || dir === within || dir.startsWith(`${within}/`)))
        made.push({ ...block, dir, name: undefined })
  }
  return made
}
