import type { Action, Plan, ResourceChange } from '../plans/plan.ts'
import { summaryText } from '../plans/summary.ts'
import { cut, oneLine } from './safe-text.ts'
import { attributeLines } from './value-lines.ts'
import type { PlanLine } from './plan-line.ts'

const SIGNS: { readonly [action in Action]: PlanLine['sign'] } = {
  create: '+',
  update: '~',
  delete: '-',
  replace: '-/+',
  read: '<=',
  import: '+',
  forget: '-',
  none: ' ',
}

/** Which action gives a change its sign: the one that costs most. */
const BY_WEIGHT: readonly Action[] = ['replace', 'delete', 'forget', 'create', 'update', 'import', 'read', 'none']
const MAX_UNCHECKED = 5
const MAX_FINDINGS = 50

/** The changes of a plan, a resource after the other. */
export function changeLines(plan: Pick<Plan, 'changes'>): PlanLine[] {
  return plan.changes.flatMap((change) => [
    headLine(change),
    ...change.attributes.flatMap((attribute) => attributeLines(attribute, attributeSign(change))),
  ])
}

function headLine(change: ResourceChange): PlanLine {
  const notes = [
    change.actions.join(' and '),
    change.previousAddress === undefined ? null : `moved from ${oneLine(change.previousAddress)}`,
    change.cause === 'config' ? null : CAUSES[change.cause],
    change.reason === undefined ? null : cut(oneLine(change.reason), 300),
  ].filter((note) => note !== null)
  return { sign: signOf(change), text: `${oneLine(change.address)}  (${notes.join('; ')})`, head: true }
}

const CAUSES = { input: 'an input changed', drift: 'drifted' } as const

const signOf = (change: ResourceChange): PlanLine['sign'] =>
  SIGNS[BY_WEIGHT.find((action) => change.actions.includes(action)) ?? 'none']

/** Within a resource that comes or goes all attributes do; within others each changes from something to something. */
function attributeSign(change: ResourceChange): PlanLine['sign'] {
  const sign = signOf(change)
  return (sign === '+' && !change.actions.includes('import')) || sign === '-' ? sign : '~'
}

/** `Plan: 2 to create.`, what the tool looked at, and what it remarked. */
export function footLines(plan: Pick<Plan, 'summary' | 'coverage' | 'findings'>): PlanLine[] {
  return [
    { sign: ' ', text: `Plan: ${summaryText(plan)}.` },
    { sign: ' ', text: coverageText(plan.coverage) },
    ...plan.findings.slice(0, MAX_FINDINGS).map(findingLine),
    ...(plan.findings.length > MAX_FINDINGS
      ? [{ sign: ' ', text: `… ${plan.findings.length - MAX_FINDINGS} more findings` } as const]
      : []),
  ]
}

/** What "in sync" is worth: how much was checked and what could not be. */
export function coverageText({ checked, unchecked }: Plan['coverage']): string {
  const looked = `Checked ${checked} ${checked === 1 ? 'resource' : 'resources'}`
  if (unchecked.length === 0) return `${looked}.`
  const named = unchecked
    .slice(0, MAX_UNCHECKED)
    .map(({ address, why }) => `${oneLine(address)} (${cut(oneLine(why), 120)})`)
  const more = unchecked.length > MAX_UNCHECKED ? ` and ${unchecked.length - MAX_UNCHECKED} more` : ''
  return `${looked}; ${unchecked.length} could not be checked: ${named.join(', ')}${more}.`
}

function findingLine({ severity, message, path, line }: Plan['findings'][number]): PlanLine {
  const place = path === undefined ? '' : `${oneLine(path)}${line === undefined ? '' : `:${line}`}: `
  return { sign: severity === 'info' ? ' ' : '!', text: `${severity}: ${place}${cut(oneLine(message), 1_000)}` }
}
