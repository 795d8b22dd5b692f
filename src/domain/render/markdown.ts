import type { GateOutcome } from '../gates/gate.ts'
import type { Requirement } from '../gates/facts.ts'
import type { Plan } from '../plans/plan.ts'
import { summaryText } from '../plans/summary.ts'
import type { PolicyResult } from '../policies/policy.ts'
import { describeState, type RunState } from '../runs/run.ts'
import { fenced, inert, inertHtml, link } from './markdown-text.ts'
import { changeLines, footLines } from './plan-lines.ts'
import type { PlanLine } from './plan-line.ts'

export interface CommentStack {
  environment: string
  name: string
  driver: string
  preview: { state: RunState; message: string | null } | null
  plan: Plan | null
  provisional: boolean
  policies: readonly PolicyResult[]
  checks: readonly { name: string; ok: boolean; output?: string }[]
  /** Page of the run in the web UI. */
  url?: string
}

export interface CommentFacts {
  headOid: string
  /** False where conflicts or a trueup.yaml that cannot be read leave nothing to plan; the gate says why. */
  plannable: boolean
  stacks: readonly CommentStack[]
  /** Null before the gate can be evaluated. */
  gate: GateOutcome | null
  /** Page of the MR in the web UI. */
  url?: string
  /** It is planned as it is, and merged into nothing. */
  unmerged?: boolean
}

/** Longest comment, in characters; GitHub refuses more than 65,536, and forges may add a marker. */
export const COMMENT_LIMIT = 60_000
const TABLE_LIMIT = 16_000
const REQUIREMENTS_LIMIT = 10_000
/** Kept free for the closing line. */
const RESERVE = 600
const MIN_SECTION = 600

/** The one comment that Trueup keeps up to date on an MR: Markdown of at most `limit` characters. */
export function renderMrComment(facts: CommentFacts, limit = COMMENT_LIMIT): string {
  const opening = [heading(facts), table(facts), requirements(facts.gate)].filter((part) => part !== '')
  const parts = [...opening, ...sections(facts, limit - RESERVE - opening.join('\n\n').length), closing(facts)].filter(
    (part) => part !== '',
  )
  return `${parts.join('\n\n')}\n`
}

function heading({ stacks, headOid, plannable, unmerged }: CommentFacts): string {
  const commit = `\`${headOid.replace(/[^0-9a-f]/g, '').slice(0, 12)}\``
  if (!plannable)
    return `### Trueup: cannot be planned\n\nNothing is known of the stacks of commit ${commit}; see why below.`
  const title =
    stacks.length === 0 ? 'Trueup: no stack is affected' : `Trueup: ${plural(stacks.length, 'stack')} affected`
  return `### ${title}\n\nPlanned for commit ${commit}${unmerged ? '' : ', merged into its target'}.`
}

function table({ stacks, gate }: CommentFacts): string {
  if (stacks.length === 0) return ''
  const { kept, left } = fitting(
    stacks.map((stack) => `| ${cells(stack, gate).join(' | ')} |`),
    TABLE_LIMIT,
  )
  return [
    '| Environment | Stack | Status | Changes | Policies | Approvals |',
    '| --- | --- | --- | --- | --- | --- |',
    ...kept,
    ...(left > 0 ? ['', `…and ${plural(left, 'more stack')}.`] : []),
  ].join('\n')
}

/** As many of the first lines as fit, and how many do not. */
function fitting(lines: readonly string[], limit: number): { kept: string[]; left: number } {
  let total = 0
  const end = lines.findIndex((line) => {
    total += line.length + 1
    return total > limit
  })
  const kept = end < 0 ? [...lines] : lines.slice(0, end)
  return { kept, left: lines.length - kept.length }
}

function cells(stack: CommentStack, gate: GateOutcome | null): string[] {
  return [
    inert(stack.environment, 70),
    link(stack.name, stack.url) + (stack.provisional ? ' (provisional)' : ''),
    inert(statusText(stack), 100),
    stack.plan ? inert(summaryText(stack.plan)) : '–',
    inert(policyText(stack.policies), 100),
    approvalText(gate, stack.environment),
  ]
}

function statusText({ preview, checks }: CommentStack): string {
  if (!preview) return 'waiting for its preview'
  if (preview.state !== 'succeeded') return describeState(preview.state)
  const failed = checks.filter(({ ok }) => !ok).length
  return failed > 0 ? `planned, ${plural(failed, 'check')} did not pass` : 'planned'
}

function policyText(policies: readonly PolicyResult[]): string {
  const notable = policies.filter(({ outcome }) => outcome !== 'pass')
  if (notable.length > 0) return notable.map(({ name, outcome }) => `${outcome}: ${name}`).join(', ')
  return policies.length === 0 ? '–' : 'passed'
}

function approvalText(gate: GateOutcome | null, environment: string): string {
  const approvals = gate?.approvals[environment]
  if (!approvals) return '–'
  if (approvals.required === 0 && approvals.satisfied) return 'none needed'
  return `${approvals.counted.length} of ${approvals.required}${approvals.satisfied ? '' : ', incomplete'}`
}

function requirements(gate: GateOutcome | null): string {
  if (!gate) return ''
  const open = gate.requirements.filter(({ satisfied }) => !satisfied)
  const title = gate.mergeable ? '**Ready to merge.**' : '**Needed to merge:**'
  const { kept, left } = fitting(open.map(requirementItem), REQUIREMENTS_LIMIT)
  if (left > 0) kept.push(`- …and ${left} more`)
  return [title, ...(kept.length > 0 ? ['', ...kept] : [])].join('\n')
}

function requirementItem({ environment, message, next, blocking }: Requirement): string {
  const where = environment === undefined ? '' : `${inert(environment)}: `
  const what = next === null ? inert(message, 300) : `${inert(message, 300)}. ${inert(next, 200)}`
  return `- ${blocking ? '' : 'Note: '}${where}${what}`
}

/** A collapsible part per stack. What does not fit is cut, each stack getting its share of what is left. */
function sections({ stacks }: CommentFacts, budget: number): string[] {
  const shown: string[] = []
  let left = budget
  for (const [index, stack] of stacks.entries()) {
    const share = Math.floor(left / (stacks.length - index))
    const section = left < MIN_SECTION ? null : sectionOf(stack, Math.max(share, MIN_SECTION))
    if (section === null || section.length > left) {
      shown.push(`…the plans of ${plural(stacks.length - index, 'more stack')} do not fit into this comment.`)
      break
    }
    shown.push(section)
    left -= section.length + 2
  }
  return shown
}

function sectionOf(stack: CommentStack, limit: number): string {
  const title = `${inertHtml(stack.environment, 70)} / ${inertHtml(stack.name, 210)}`
  const what = stack.plan ? summaryText(stack.plan) : statusText(stack)
  const head = `<details><summary><b>${title}</b> (${inertHtml(stack.driver, 70)}): ${inertHtml(what, 100)}</summary>\n\n`
  const tail = '\n\n</details>'
  return head + block(linesOf(stack), limit - head.length - tail.length) + tail
}

function linesOf(stack: CommentStack): string[] {
  const policies = stack.policies.filter(({ outcome }) => outcome !== 'pass')
  return [
    ...(stack.preview?.message ? stack.preview.message.split('\n').map((line) => `! ${line}`) : []),
    ...(stack.plan
      ? [...changeLines(stack.plan), { sign: ' ', text: '' } as const, ...footLines(stack.plan)].map(diffText)
      : []),
    ...policies.map(({ name, outcome, message }) => `! policy ${name}: ${outcome}: ${message}`),
    ...stack.checks.flatMap(({ name, ok, output }) => [
      ok ? `  check ${name}: passed` : `! check ${name}: did not pass`,
      ...(ok || !output
        ? []
        : output
            .trimEnd()
            .split('\n')
            .slice(-20)
            .map((line) => `  | ${line}`)),
    ]),
  ]
}

/** The sign comes first, where the colouring of a `diff` block looks for it. */
const diffText = ({ sign, text }: PlanLine): string =>
  sign === '@' ? text.trimStart() : `${sign.padEnd(4)}${text}`.trimEnd()

/** The lines as a fenced block of at most `limit` characters; what is left out is counted. */
function block(lines: readonly string[], limit: number): string {
  const safe = lines.flatMap((line) => line.split(/\r\n|\r|\n/))
  let kept = safe.length
  let text = fenced(safe, 'diff')
  // Each round halves what is kept at worst, so a huge plan costs few rounds.
  while (text.length > limit && kept > 0) {
    kept = Math.min(kept - 1, Math.floor((kept * limit) / text.length))
    text = fenced([...safe.slice(0, kept), `… ${safe.length - kept} more lines, not shown here`], 'diff')
  }
  return text
}

function closing({ url, unmerged }: CommentFacts): string {
  if (unmerged) return ''
  return url === undefined
    ? 'Updated in place with every push.'
    : `Updated in place with every push. ${link('Full plans', url)}`
}

const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`
