import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { createRandom } from './random.ts'

/** The repository of B1 and B2: 100 directories of 100 Terraform stacks of 5 files each, and 200 modules that they share. */
export const STACKS = 10_000
const PER_DIRECTORY = 100
const MODULES = 200
/** The first of them are used by 500 stacks each, the others by about 55: every stack uses one of both kinds. */
const POPULAR = 20
export const COMMITS = 1_000
const FILES = ['main.tf', 'variables.tf', 'outputs.tf', 'versions.tf', 'terraform.tfvars']

export const stackPath = (stack: number): string =>
  `infra/team-${pad(Math.floor(stack / PER_DIRECTORY))}/service-${pad(stack % PER_DIRECTORY)}`
const modulePath = (module: number): string => `modules/m-${String(module).padStart(3, '0')}`
const pad = (number: number): string => String(number).padStart(2, '0')
/** Modules that a stack uses. */
export const modulesOf = (stack: number): string[] =>
  [stack % POPULAR, POPULAR + (stack % (MODULES - POPULAR))].map(modulePath)

export interface ManyStacks {
  /** Directory of the bare repository. */
  gitDirectory: string
  /** Oids, oldest first: the start, then one for each change. */
  commits: string[]
}

/** Makes `ROOT/many.git`: one commit with everything, then 1,000 (90 % touch one stack, 9 % fifty, 1 % a popular module). */
export function makeManyStacks(root: string): ManyStacks {
  const gitDirectory = join(root, 'many.git')
  mkdirSync(root, { recursive: true })
  const git = (argv: string[], input?: Buffer): string =>
    execFileSync('git', argv, { input, encoding: 'utf8', env: { ...process.env, GIT_DIR: gitDirectory } })
  git(['init', '--quiet', '--bare', '--initial-branch', 'main', gitDirectory])
  git(['fast-import', '--quiet', '--done'], history())
  return { gitDirectory, commits: git(['rev-list', '--reverse', 'main']).trim().split('\n') }
}

function history(): Buffer {
  const parts: string[] = ['feature done\n']
  const commit = (number: number, files: readonly (readonly [path: string, content: string])[]): void => {
    const message = `Change ${number}`
    parts.push(`commit refs/heads/main\ncommitter Bench <bench@example.test> ${1_700_000_000 + number} +0000\n`)
    parts.push(`data ${message.length}\n${message}\n`)
    for (const [path, content] of files) parts.push(`M 100644 inline ${path}\ndata ${content.length}\n${content}\n`)
  }
  commit(0, firstFiles())
  const random = createRandom(1)
  const kinds = random.shuffle(
    Array.from({ length: COMMITS }, (_, at) => (at < 10 ? 'module' : at < 100 ? 'fifty' : 'one')),
  )
  for (const [at, kind] of kinds.entries()) {
    const revision = at + 1
    if (kind === 'module') {
      const module = random.below(POPULAR)
      commit(revision, [[`${modulePath(module)}/main.tf`, moduleFile(module, 'main.tf', revision)]])
      continue
    }
    const stacks = random.several(kind === 'one' ? 1 : 50, STACKS)
    const file = FILES[random.below(FILES.length)]!
    commit(
      revision,
      stacks.map((stack) => [`${stackPath(stack)}/${file}`, stackFile(stack, file, revision)]),
    )
  }
  parts.push('done\n')
  return Buffer.from(parts.join(''))
}

const CONFIG = `version: 1
environments:
  production: { tier: production }
stacks:
  - path: infra/*/*
    driver: terraform
`

function firstFiles(): [path: string, content: string][] {
  const files: [string, string][] = [
    ['trueup.yaml', CONFIG],
    ['README.md', '# Everything we run\n'],
  ]
  for (let module = 0; module < MODULES; module++)
    for (const file of FILES.slice(0, 3)) files.push([`${modulePath(module)}/${file}`, moduleFile(module, file, 0)])
  for (let stack = 0; stack < STACKS; stack++)
    for (const file of FILES) files.push([`${stackPath(stack)}/${file}`, stackFile(stack, file, 0)])
  return files
}

function stackFile(stack: number, file: string, revision: number): string {
  if (file === 'terraform.tfvars') return `size = ${revision}\nname = "service-${stack}"\n`
  const note = `# revision ${revision}\n`
  if (file === 'variables.tf') return `${note}variable "size" { type = number }\nvariable "name" { type = string }\n`
  if (file === 'outputs.tf') return `${note}output "name" {\n  value = "\${var.name}-${stack}"\n}\n`
  if (file === 'versions.tf') return `${note}terraform {\n  required_version = ">= 1.5"\n}\n`
  const uses = modulesOf(stack).map(
    (path, at) => `module "m${at}" {\n  source = "../../../${path}"\n  name   = var.name\n  size   = var.size\n}\n`,
  )
  return `${note}${uses.join('')}resource "terraform_data" "it" {\n  input = "${stack}-\${var.size}"\n}\n`
}

function moduleFile(module: number, file: string, revision: number): string {
  const note = `# revision ${revision}\n`
  if (file === 'variables.tf') return `${note}variable "size" { type = number }\nvariable "name" { type = string }\n`
  if (file === 'outputs.tf') return `${note}output "id" {\n  value = terraform_data.it.id\n}\n`
  return `${note}resource "terraform_data" "it" {\n  input = "m${module}-\${var.name}-\${var.size}"\n}\n`
}
