import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Names of the stacks whose tool is the ledger, each for one state that its run is held in. */
export const LEDGER_STACKS = [
  'queued',
  'leased',
  'preparing',
  'planning',
  'awaiting',
  'begin',
  'middle',
  'end',
  'verifying',
  'reported',
] as const
export type LedgerStack = (typeof LEDGER_STACKS)[number]

const TOOL = readFileSync(new URL('./tool.sh', import.meta.url), 'utf8')

export interface Sources {
  [path: string]: string
}

export interface SourceOptions {
  world: string
  target: string
  terraform: string | null
  /** Stacks that are healed, one for each time: a second heal would wait, and many in a row are taken for a fight. */
  heals: number
}

export const healStack = (round: number): string => `heal-${round}`

/** `trueup.yaml` and everything that does not change from deployment to deployment. */
export function fixedSources({ world, target, terraform, heals }: SourceOptions): Sources {
  const ledger = LEDGER_STACKS.map(
    (name) => `  - path: stacks/${name}
    name: ${name}
    driver: command
    environments: [production]
    variables: { FAULTS_WORLD: ${JSON.stringify(world)} }
    verify: ["sh tool.sh verify"]
    with: { plan: sh tool.sh plan, apply: sh tool.sh apply }
${name === 'queued' ? '    needs: [begin]\n' : ''}`,
  ).join('')
  const healed = Array.from({ length: heals }, (_, index) => healStack(index + 1))
  const files = ['files', ...healed]
    .map((name) => {
      const tool = join(target, name, 'tool.sh')
      return `  - path: stacks/${name}
    name: ${name}
    driver: files
    environments: [production]
    drift: { mode: enforce, interval: 1h }
    with:
      target: ${JSON.stringify(join(target, name))}
      reload: ${JSON.stringify(`FAULTS_WORLD=${world} TRUEUP_STACK=${name} sh ${tool} hold reload`)}
`
    })
    .join('')
  const states =
    terraform === null
      ? ''
      : `  - path: stacks/terraform
    name: terraform
    driver: terraform
    environments: [production]
    variables: { FAULTS_WORLD: ${JSON.stringify(world)} }
    with: { tool: ${terraform} }
`
  return {
    'trueup.yaml': `version: 1
environments:
  production:
    tier: production
    approvals: { required: 1, rollback: none }
    drift: { mode: observe, interval: 1h }
stacks:
${ledger}${files}${states}`,
    ...Object.fromEntries(LEDGER_STACKS.map((name) => [`stacks/${name}/tool.sh`, TOOL])),
    'stacks/files/tool.sh': TOOL,
    ...Object.fromEntries(
      healed.flatMap((name) => [
        [`stacks/${name}/tool.sh`, TOOL],
        [`stacks/${name}/wanted`, `${name}\n`],
      ]),
    ),
    ...(terraform !== null && { 'stacks/terraform/main.tf': MAIN_TF, 'stacks/terraform/tool.sh': TOOL }),
  }
}

/** The held provisioner stands for a provider that takes its time, with the state's lock held. */
const MAIN_TF = `resource "terraform_data" "content" {
  triggers_replace = file("\${path.module}/wanted")

  provisioner "local-exec" {
    command = "TRUEUP_STACK=terraform sh tool.sh hold middle"
  }
}

output "content" {
  value = terraform_data.content.triggers_replace
}
`

/** What one deployment asks for: every stack gets its own new content. */
export function wantedSources(id: string, terraform: string | null): Sources {
  const stacks = [...LEDGER_STACKS, 'files', ...(terraform === null ? [] : ['terraform'])]
  return Object.fromEntries(stacks.map((name) => [`stacks/${name}/wanted`, `${id}-${name}\n`]))
}
