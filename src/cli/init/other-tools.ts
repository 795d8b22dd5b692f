import { posix } from 'node:path'
import type { LeftOut } from '../../drivers/proposal.ts'
import type { WorkingTree } from '../local/working-tree.ts'
import type { Found } from './found.ts'

/** Tools that no driver is for; the driver `command` runs them where their own exit codes tell what Trueup asks. */
export async function otherTools(tree: WorkingTree): Promise<{ stacks: Found[]; leftOut: LeftOut[] }> {
  const stacks: Found[] = []
  const leftOut: LeftOut[] = []
  for (const file of tree.files) {
    if (NOT_OWN.test(file)) continue
    const [directory, name] = [posix.dirname(file), posix.basename(file)]
    if (name === 'terragrunt.hcl') {
      const text = (await tree.read(file))?.toString('utf8') ?? ''
      // The one at the top holds what units include: it deploys nothing itself.
      if (/^\s*terraform\s*\{|^\s*include\b/m.test(text)) stacks.push(terragrunt(directory))
      else leftOut.push({ path: file, why: 'what Terragrunt units include' })
    } else if (/^helmfile\.ya?ml(\.gotmpl)?$/.test(name)) {
      stacks.push(...helmfile(directory, (await tree.read(file))?.toString('utf8') ?? ''))
    } else if (/\.(nomad|nomad\.hcl)$/.test(name)) {
      stacks.push(nomad(directory, name))
    } else {
      const tool = UNTOLD.find(({ mark }) => mark.test(name))
      if (tool !== undefined) leftOut.push({ path: directory, why: tool.why })
    }
  }
  return { stacks, leftOut }
}

const NOT_OWN = /(^|\/)(node_modules|vendor|\.terraform|\.terragrunt-cache|tests?|fixtures|examples?|\.[^/]+)\//

/** Tools whose preview does not tell a change from an error by its exit code: somebody has to write a few lines. */
const UNTOLD = [
  { mark: /^cdk\.json$/, why: 'an AWS CDK app: synthesize it for the driver cloudformation, or write a command stack' },
  { mark: /^Pulumi\.ya?ml$/, why: 'a Pulumi project: write a command stack around `pulumi preview` and `pulumi up`' },
  { mark: /^serverless\.ya?ml$/, why: 'a Serverless Framework service, which has no preview: write a command stack' },
  { mark: /^skaffold\.ya?ml$/, why: 'a Skaffold project, which is for developers' },
]

const command = (path: string, why: string, settings: Found['with'], more: Partial<Found> = {}): Found => ({
  driver: 'command',
  path,
  why,
  with: settings,
  confidence: 'likely',
  ...more,
})

/** The driver `command` around a Terragrunt unit. */
export const terragrunt = (path: string): Found =>
  command(path, 'Terragrunt unit', {
    version: 'terragrunt --version',
    // Exit codes 0, 1 and 2 are what the driver asks for.
    plan: 'terragrunt plan -detailed-exitcode -input=false -no-color -out="$TRUEUP_SCRATCH/tfplan"',
    apply: 'terragrunt apply -input=false -no-color "$TRUEUP_SCRATCH/tfplan"',
    destroy: 'terragrunt destroy -auto-approve -input=false -no-color',
  })

function helmfile(path: string, text: string): Found[] {
  const block = /^environments:\s*\n((?:[ \t]+.*\n|\s*\n)+)/m.exec(text)?.[1] ?? ''
  const names = [...block.matchAll(/^ {2}([\w-]+):/gm)].map(([, name]) => name!).filter((name) => name !== 'default')
  const stack = (environment?: string): Found => {
    const prefix = `helmfile${environment === undefined ? '' : ` --environment ${environment}`}`
    const settings = {
      version: 'helmfile --version',
      plan: `${prefix} diff --detailed-exitcode`,
      apply: `${prefix} apply`,
    }
    return command(path, 'Helmfile', settings, environment === undefined ? {} : { environment })
  }
  return names.length === 0 ? [stack()] : names.map(stack)
}

const nomad = (path: string, job: string): Found => {
  const stem = job.replace(/\.(nomad\.hcl|nomad)$/, '')
  const file = `'${job.replaceAll("'", `'\\''`)}'`
  return command(
    path,
    `Nomad job ${job}`,
    {
      version: 'nomad version',
      validate: `nomad job validate ${file}`,
      // `nomad job plan` ends with 1 where something would change and with 255 on errors.
      plan: `nomad job plan ${file}; case $? in 0) exit 0;; 1) exit 2;; *) exit 1;; esac`,
      apply: `nomad job run ${file}`,
      idempotent: true,
    },
    { name: posix.join(path, stem) },
  )
}
