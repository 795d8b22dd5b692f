import { stringify } from 'yaml'
import { parseConfig } from '../../domain/config/parse.ts'
import { DRIVERS } from '../../drivers/registry.ts'
import { byEnvironment, type ProposedStack } from './by-environment.ts'
import type { WorkingTree } from './working-tree.ts'

const HEAD = `# What Trueup manages in this repository, and by which rules. Reference: docs/configuration.md
# Check it with \`trueup validate\`, see what it would do with \`trueup plan\`.
`

/** A directory that another tool deploys. */
interface LeftAlone {
  path: string
  leftTo: string
}

interface Proposed {
  text: string
  stacks: ProposedStack[]
  left: LeftAlone[]
}

/** A trueup.yaml of the stacks that drivers recognise; itself checked before it is given out. */
export async function proposeConfig(tree: WorkingTree, environments: readonly string[]): Promise<Proposed> {
  const found: ProposedStack[] = []
  const left: LeftAlone[] = []
  for (const [name, driver] of DRIVERS) {
    const proposals = await driver.detect(tree.files, tree.read)
    for (const { leftTo, ...proposal } of proposals) {
      if (leftTo === undefined) found.push({ driver: name, ...proposal })
      else left.push({ path: proposal.path, leftTo })
    }
  }
  const stacks = byEnvironment(found, environments, tree.directories)
  // Plain code unit order: the same on every machine.
  stacks.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0))
  const text = `${HEAD}version: 1

environments:
${environments.map(environmentText).join('')}
stacks:${stacks.length === 0 ? ` []\n${EXAMPLE}` : `\n${stacks.map(stackText).join('')}`}${leftText(left)}`
  parseConfig(text)
  return { text, stacks, left }
}

/** What is no stack, since one is enough to deploy it: said in the file, where somebody looks for it. */
function leftText(left: readonly LeftAlone[]): string {
  if (left.length === 0) return ''
  const lines = left.map(({ path, leftTo }) => `#  ${JSON.stringify(path)}: ${JSON.stringify(leftTo)}\n`)
  return `\n# Deployed by other tools, with settings that are no part of the directory:\n${lines.join('')}`
}

function environmentText(name: string): string {
  const tier = /^prod/i.test(name) ? 'production' : /^(stag|test|accept)/i.test(name) ? 'staging' : 'development'
  return `  ${stringify(name).trim()}:
    tier: ${tier}
    drift: { mode: observe }          # observe, propose (a merge request) or enforce (overwrite)
${tier === 'production' ? '    approvals: { required: 1 }        # people other than the author\n' : ''}`
}

function stackText({ path, driver, environments, with: settings }: ProposedStack): string {
  const entry = {
    path,
    driver,
    ...(environments && { environments }),
    ...(settings && Object.keys(settings).length > 0 && { with: settings }),
  }
  return stringify([entry], { indentSeq: true, lineWidth: 120 }).replace(/^/gm, '  ').trimEnd() + '\n'
}

const EXAMPLE = `# A stack is a directory and the tool that understands it:
#  - path: infra/network
#    driver: terraform               # ${[...DRIVERS.keys()].join(', ')}
`
