import type { Action, Plan, ResourceChange } from '../plans/plan.ts'
import { byReason, uncheckedCount } from '../plans/coverage.ts'
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
const MAX_REASONS = 20
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
    ...coverageLines(plan.coverage),
    ...plan.findings.slice(0, MAX_FINDINGS).map(findingLine),
    ...(plan.findings.length > MAX_FINDINGS
      ? [{ sign: ' ', text: `… ${plan.findings.length - MAX_FINDINGS} more findings` } as const]
      : []),
  ]
}

/** What "no changes" is worth: how much was checked, and what could not be, by reason. */
export function coverageLines(coverage: Plan['coverage']): PlanLine[] {
  const { checked, unchecked } = coverage
  const looked = `Checked ${checked} ${checked === 1 ? 'resource' : 'resources'}`
  if (unchecked.length === 0) return [{ sign: ' ', text: `${looked}.` }]
  const reasons = byReason(unchecked)
  return [
    { sign: ' ', text: `${looked}; ${uncheckedCount(coverage)} could not be checked:` },
    ...reasons.slice(0, MAX_REASONS).map(reasonLine),
    ...(reasons.length > MAX_REASONS
      ? [{ sign: '!', text: `  … for ${reasons.length - MAX_REASONS} more reasons` } as const]
      : []),
  ]
}

/** `web1/Restart, web2/Restart and 8 more: check mode cannot run it`. */
function reasonLine({ why, entries, count }: ReturnType<typeof byReason>[number]): PlanLine {
  const named = entries
    .slice(0, MAX_UNCHECKED)
    .map((entry) => (entry.address === '*' ? 'the rest of the stack' : oneLine(entry.address)))
  const more = entries.length > MAX_UNCHECKED ? ` and ${entries.length - MAX_UNCHECKED} more` : ''
  const many = count > entries.length ? ` (${count} in all)` : ''
  return { sign: '!', text: `  ${named.join(', ')}${more}${many}: ${cut(oneLine(why), 300)}` }
}

function findingLine({ severity, message, path, line }: Plan['findings'][number]): PlanLine {
  const place = path === undefined ? '' : `${oneLine(path)}${line === undefined ? '' : `:${line}`}: `
  return { sign: severity === 'info' ? ' ' : '!', text: `${severity}: ${place}${cut(oneLine(message), 1_000)}` }
}
