import { describe, expect, it } from 'vitest'
import type { WorkingTree } from '../local/working-tree.ts'
import { type Draft, textOf } from '../init/text.ts'
import { parseConfig } from '../../domain/config/parse.ts'
import { importAll } from './all.ts'
import { TOOLS, type Tool } from './imported.ts'
import { draftOf } from './to-draft.ts'

type Files = { [path: string]: string }

/** Root modules with a backend of their own, at these directories. */
const roots = (...directories: string[]): Files =>
  Object.fromEntries(directories.map((each) => [`${each}/main.tf`, 'terraform {\n  backend "s3" {}\n}\n']))

function treeOf(files: Files): WorkingTree {
  const paths = Object.keys(files)
  const directories = paths.flatMap((path) => path.split('/').map((_, at, all) => all.slice(0, at).join('/')))
  return {
    root: '/',
    files: paths,
    directories: [...new Set(directories)].filter((path) => path !== ''),
    read: async (path) => (files[path] === undefined ? null : Buffer.from(files[path])),
    list: async () => [],
    copy: async () => {},
    links: async () => new Map<string, string>(),
    matching: () => [],
  }
}

async function imported(files: Files, tools: readonly Tool[] = TOOLS): Promise<Draft> {
  const draft = draftOf(await importAll(treeOf(files), tools))
  // What is written is a trueup.yaml, whatever was read.
  expect(parseConfig(textOf(draft)).stacks.length).toBe(draft.entries.length)
  return draft
}

const noEqual = ({ noEqual: all = [] }: Draft): string => all.map(({ path, why }) => `${path}: ${why}`).join('\n')

describe('the configuration of Atlantis', () => {
  it('becomes stacks, with workspaces, versions, order and approvals', async () => {
    const draft = await imported({
      ...roots('network', 'app'),
      'atlantis.yaml': `version: 3
projects:
  - { name: app-staging, dir: app, workspace: staging, terraform_version: v1.9.5, depends_on: [network] }
  - { name: app-prod, dir: app, workspace: prod, workflow: files, apply_requirements: [mergeable, approved], depends_on: [net-prod] }
  - { name: net-prod, dir: ./network, workspace: prod, execution_order_group: 1, terraform_distribution: opentofu,
      autoplan: { when_modified: ['*.tf', '../shared/**/*.json'] } }
workflows:
  files:
    plan: { steps: [{ init: { extra_args: ['-backend-config=$WORKSPACE.hcl'] } }, { plan: { extra_args: ['-var-file', 'vars/$WORKSPACE.tfvars', -lock=false] } }, { run: tflint --recursive }, { run: terraform plan -parallelism=4 && terraform show plan }] }
    apply: { steps: [{ init: { extra_args: ['-backend-config=$WORKSPACE.hcl'] } }, apply] }
automerge: true
`,
    })
    expect(draft.environments).toMatchObject([
      { name: 'prod', tier: 'production', approvals: 1 },
      { name: 'staging', tier: 'staging' },
    ])
    expect(draft.entries).toMatchObject([
      {
        path: 'app',
        name: 'app-staging',
        environments: ['staging'],
        toolVersion: '1.9.5',
        with: { workspace: 'staging' },
      },
      {
        path: 'app',
        name: 'app-prod',
        environments: ['prod'],
        needs: ['net-prod'],
        with: { workspace: 'prod', varFiles: ['vars/prod.tfvars'], backendConfigFiles: ['prod.hcl'], parallelism: 4 },
      },
      { path: 'network', name: 'net-prod', watch: ['shared/**/*.json'], with: { workspace: 'prod', tool: 'tofu' } },
    ])
    expect(noEqual(draft)).toContain('atlantis.yaml: `automerge`: the merge comes first here')
    expect(noEqual(draft)).toContain('workflow files: the step `tflint --recursive`: put it into `checks:`')
    expect(noEqual(draft)).not.toContain('the argument `')
    expect(noEqual(draft)).toContain('app: it comes after network, which is in another environment')
  })

  it('is what Atlantis finds by itself where no project is written down', async () => {
    const files = {
      ...roots('live/prod/db', 'live/dev/db', 'old'),
      'atlantis.yaml': 'version: 3\nautodiscover: { ignore_paths: [old] }\n',
    }
    const draft = await imported(files)
    expect(draft.entries.map(({ path, environments }) => `${path} ${environments?.join()}`)).toEqual([
      'live/dev/db dev',
      'live/prod/db prod',
    ])
  })

  it('tells of workflows on the server, and takes Terragrunt for what it is', async () => {
    const draft = await imported({
      'live/a/terragrunt.hcl': 'include "root" {}\n',
      'atlantis.yaml': `version: 3
projects: [{ dir: live/a, workflow: tg }, { dir: live/b, workflow: elsewhere }]
workflows: { tg: { plan: { steps: [{ run: terragrunt plan -out=$PLANFILE }] } } }
`,
    })
    expect(draft.entries[0]).toMatchObject({
      path: 'live/a',
      driver: 'command',
      with: { version: 'terragrunt --version' },
    })
    expect(noEqual(draft)).toContain('the workflow `elsewhere` of project live/b stands on the Atlantis server')
  })

  it('is refused with its place where it is no YAML', async () => {
    await expect(imported({ 'atlantis.yaml': 'projects: [a\n' })).rejects.toThrow('reading atlantis.yaml')
  })
})

describe('the configuration of Digger', () => {
  it('becomes stacks, of projects and of directories that it looks for', async () => {
    const draft = await imported({
      ...roots('core', 'web', 'more/dev/a', 'more/dev/skip', 'more/prod/a'),
      'digger.yml': `respect_layers: true
projects:
  - { name: core, dir: core, opentofu: true, layer: 0 }
  - { name: web, dir: web, layer: 1, apply_requirements: [approved], include_patterns: ['../core/**'], drift_detection: false }
  - { name: site, dir: site, pulumi: true }
generate_projects: { blocks: [{ include: 'more/dev/**', exclude: more/dev/skip }, { include: 'more/prod/**', workflow: prod }] }
workflows:
  prod:
    env_vars: { commands: [{ name: AWS_KEY, value_from: KEY }] }
    plan: { steps: [{ init: null, extra_args: [backend-config=prod.hcl] }, plan] }
`,
    })
    expect(draft.entries.map(({ path, environments }) => `${path} ${environments?.join()}`)).toEqual([
      'core shared',
      'more/dev/a dev',
      'more/prod/a prod',
      'web shared',
    ])
    expect(draft.entries[0]?.with).toEqual({ tool: 'tofu' })
    expect(draft.entries[2]?.with).toEqual({ backendConfigFiles: ['prod.hcl'] })
    expect(draft.entries[3]).toMatchObject({ needs: ['core'], watch: ['core/**'] })
    expect(noEqual(draft)).toContain('project site: Pulumi: write a command stack')
    expect(noEqual(draft)).toContain('workflow prod: the variables AWS_KEY: keep them by `trueup variable set`')
    expect(noEqual(draft)).toContain('project web: `drift_detection: false`')
  })
})

describe('the configuration of Terrateam', () => {
  it('becomes stacks, by tags, workspaces, engines and what comes before', async () => {
    const draft = await imported({
      ...roots('network', 'prod/app', '_templates/x'),
      '.terrateam/config.yml': `engine: { name: tofu, version: 1.8.4 }
dirs:
  '**': { when_modified: { file_patterns: ['\${DIR}/*.tf', 'shared/*.json', '../modules/*.tf'] } }
  _templates/**: { when_modified: { file_patterns: [] } }
  prod/app: { tags: [critical], workspaces: { production: { tags: [east] } }, when_modified: { depends_on: 'relative_dir:../../network' } }
workflows:
  - { tag_query: critical and east, environment: production, plan: [{ type: oidc }, { type: init }, { type: plan, extra_args: ['-var-file=a.tfvars'] }] }
  - { tag_query: critical or (east), plan: [] }
  - { tag_query: '', plan: [{ type: init }, { type: plan }, { type: run, cmd: [infracost, diff] }] }
apply_requirements: { checks: [{ tag_query: critical, approved: { enabled: true, any_of: ['team:sre'], any_of_count: 2 } }] }
drift: { enabled: true, schedules: { all: { schedule: daily, reconcile: true } } }
access_control: {}
`,
    })
    expect(draft.environments).toMatchObject([
      { name: 'production', approvals: 2, drift: { mode: 'enforce', interval: '1d' } },
      { name: 'shared' },
    ])
    expect(draft.entries).toMatchObject([
      {
        path: 'network',
        environments: ['shared'],
        watch: ['shared/*.json', 'modules/*.tf'],
        toolVersion: '1.8.4',
        with: { tool: 'tofu' },
      },
      {
        path: 'prod/app',
        environments: ['production'],
        with: { tool: 'tofu', workspace: 'production', varFiles: ['a.tfvars'] },
      },
    ])
    const lost = noEqual(draft)
    expect(lost).toContain('prod/app: it comes after network, which is in another environment')
    expect(lost).toContain('network: the step `infracost diff`')
    expect(lost).toContain('the tag query `critical or (east)`: only lists of tags are read')
    expect(lost).toContain('approvals of team:sre')
    expect(lost).toContain('prod/app: the step `oidc`: keep credentials')
    expect(lost).toContain('`access_control`: roles of people and teams')
  })
})

describe('objects of Argo CD and Flux', () => {
  it('become stacks where nothing is lost, and lines where it is', async () => {
    const argo = 'apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: { name: web }\nspec: '
    const flux = 'apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: { name: db }\nspec: '
    const release = 'apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: { name: cache }\nspec: '
    const draft = await imported({
      'argo/root.yaml': `${argo}{ source: { path: argo/apps } }\n`,
      'argo/apps/web.yaml': `${argo}{ source: { path: web }, destination: { namespace: web } }\n`,
      'flux/db.yaml': `${flux}{ path: ./db, postBuild: { substitute: {} } }\n`,
      'flux/cache.yaml': `${release}{ chart: { spec: { chart: redis, version: 20.x } }, values: {} }\n`,
      'flux/all.yaml': 'apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nspec: {}\n',
      'web/map.yaml': '',
      'db/map.yaml': '',
    })
    expect(draft.entries).toMatchObject([{ path: 'web', driver: 'kubernetes', with: { namespace: 'web' } }])
    const lost = noEqual(draft)
    expect(lost).toContain('argo/apps: it holds 1 Applications of Argo CD, each a claim of its own (argo/root.yaml)')
    expect(lost).toContain("db: Flux's postBuild has no equal here")
    expect(lost).toContain(
      'HelmRelease cache: write a Kubernetes stack with `helm:` for the chart redis 20.x, and move its values',
    )
  })
})

describe('a repository', () => {
  const both = {
    ...roots('core'),
    'atlantis.yaml': 'projects: [{ dir: core }]\n',
    'digger.yml': 'projects: [{ name: c, dir: core }]\n',
  }

  it('that two tools are told of is taken once', async () => {
    const draft = await imported(both)
    expect(draft.entries.map(({ path, name }) => [path, name])).toEqual([['core', undefined]])
    expect(noEqual(draft)).toContain('core: digger has it, too: atlantis is followed')
    expect((await imported(both, ['digger'])).entries.map(({ name }) => name)).toEqual(['c'])
  })

  it('of which no tool is told is an error that names what helps', async () => {
    await expect(imported(roots('core'))).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })
})
