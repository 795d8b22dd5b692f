import { stringify } from 'yaml'
import type { LeftOut } from '../../drivers/proposal.ts'
import { DRIVERS } from '../../drivers/registry.ts'
import type { Claim } from './claim.ts'
import type { Entry } from './entries.ts'
import { type Environment, SHARED, UNNAMED } from './environments.ts'

const HEAD = `# What Trueup manages in this repository, and by which rules. Reference: docs/configuration.md
# Check it with \`trueup validate\`, see what it would do with \`trueup plan\`.
`
/** More than anyone reads at the end of a file. */
const MAX_LEFT_OUT = 30

/** What a trueup.yaml is written from. */
export interface Draft {
  environments: readonly Environment[]
  entries: readonly Entry[]
  leftOut: readonly LeftOut[]
  /** What another tool's configuration says and this file does not. */
  noEqual?: readonly LeftOut[]
  /** GitOps tools that the repository is written for. */
  deployedBy: readonly Claim['by'][]
}

/** The text of a trueup.yaml: entries that take effect, those that wait for a person as comments, and what was left out. */
export function textOf({ environments, entries, leftOut, noEqual = [] }: Draft): string {
  const active = entries.filter(({ inactive }) => inactive === null)
  const waiting = entries.filter(({ inactive }) => inactive !== null)
  return `${HEAD}version: 1

environments:
${environments.map(environmentText).join('')}
stacks:${active.length === 0 ? ' []\n' : `\n${active.map((entry) => `  # ${oneLine(entry.why)}\n${entryText(entry)}`).join('')}`}${
    entries.length === 0 ? EXAMPLE : ''
  }${waiting.length === 0 ? '' : waitingText(waiting, active.length === 0)}${leftOutText(leftOut)}${listText('Without an equal here:', noEqual, 'trueup import')}`
}

function environmentText({ name, tier, approvals, drift }: Environment): string {
  const note =
    name === UNNAMED
      ? '  # Nothing in the repository names an environment: give it the name that you use for it.\n'
      : name === SHARED
        ? '  # For what exists once, beside the others.\n'
        : ''
  const required = approvals ?? (tier === 'production' ? 1 : 0)
  return `${note}  ${stringify(name).trim()}:
    tier: ${tier}
    ${`drift: ${driftText(drift)}`.padEnd(33)} # observe, propose (a merge request) or enforce (overwrite)
${required > 0 ? `    ${`approvals: { required: ${required} }`.padEnd(33)} # people other than the author\n` : ''}`
}

const driftText = ({ mode, interval }: NonNullable<Environment['drift']> = { mode: 'observe' }): string =>
  `{ mode: ${mode}${interval === undefined ? '' : `, interval: ${interval}`} }`

function entryText({ path, driver, name, environments, needs, watch, toolVersion, with: settings }: Entry): string {
  const entry = {
    path,
    driver,
    ...(name !== undefined && { name }),
    ...(environments && { environments }),
    ...(needs && { needs }),
    ...(watch && { watch }),
    ...(toolVersion !== undefined && { toolVersion }),
    ...(settings && { with: settings }),
  }
  return `${stringify([entry], { indentSeq: true, lineWidth: 120 }).replace(/^/gm, '  ').trimEnd()}\n`
}

function waitingText(waiting: readonly Entry[], isAlone: boolean): string {
  const how = isAlone ? 'take the "[]" above and the "# " before its lines away' : 'take the "# " before its lines away'
  const texts = waiting.map(
    (entry) =>
      `  # ${oneLine(entry.why)}: ${oneLine(entry.inactive ?? '')}.\n${entryText(entry).replace(/^ {2}/gm, '  # ')}`,
  )
  return `\n  # These do nothing until somebody says so: ${how}.\n${texts.join('')}`
}

const leftOutText = (leftOut: readonly LeftOut[]): string =>
  listText('Left out (`trueup init --explain PATH` says more):', leftOut, 'trueup init')

function listText(title: string, all: readonly LeftOut[], command: string): string {
  if (all.length === 0) return ''
  const shown = all.slice(0, MAX_LEFT_OUT).map(({ path, why }) => `#   ${oneLine(path)}: ${oneLine(why)}\n`)
  const more = all.length - shown.length
  const rest = more > 0 ? `#   and ${more} more: \`${command} --print --output json\` lists all\n` : ''
  return `\n# ${title}\n${shown.join('')}${rest}`
}

/** Names of files may hold line breaks, which would end a comment. */
const oneLine = (text: string): string => text.replaceAll(/[\p{Cc}\u2028\u2029]/gu, '?')

const EXAMPLE = `# A stack is a directory and the tool that understands it:
#  - path: infra/network
#    driver: terraform               # ${[...DRIVERS.keys()].join(', ')}
`
