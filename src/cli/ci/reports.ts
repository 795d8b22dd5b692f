import type { Plan } from '../../domain/plans/plan.ts'
import { summaryText } from '../../domain/plans/summary.ts'
import { COMMENT_LIMIT, renderMrComment } from '../../domain/render/markdown.ts'
import { visible } from '../../domain/render/safe-text.ts'
import type { ErrorBody } from '../../lib/errors/error.ts'
import { isRefused, type PlannedStack, type PlanReport } from './planned.ts'
import { vouchingMark } from './vouching.ts'

/** Of a file, which no forge has to take. */
const FILE_LIMIT = 4 * 1024 * 1024
/** Between what is shown and what is signed, with the forge's own marker. */
const SPARE = 400

/** The plans as Markdown, with what is signed. */
export function markdownOf(report: PlanReport, { comment }: { comment: boolean }): string {
  const mark = report.vouched === null ? '' : vouchingMark(report.vouched)
  const limit = comment ? COMMENT_LIMIT + 5_000 - SPARE - mark.length : FILE_LIMIT
  const text = renderMrComment(
    {
      headOid: report.head,
      plannable: true,
      stacks: report.stacks.map(shownStack),
      gate: null,
      ...(report.target === null && { unmerged: true }),
    },
    limit,
  )
  const note = report.vouched === null ? `${UNSIGNED}\n` : ''
  return [text, note, mark].filter((part) => part !== '').join('\n') + (mark === '' ? '' : '\n')
}

const UNSIGNED = 'Not signed: the job does not hold the key. `trueup ci apply` takes none of these plans.'

function shownStack({ stack, driver, plan, provisional, policies, checks, error, later }: PlannedStack) {
  const [environment = '', ...name] = stack.split('/')
  return {
    environment,
    name: name.join('/'),
    driver,
    preview: {
      state: plan ? ('succeeded' as const) : later === undefined ? ('failed' as const) : ('queued' as const),
      message: error ? wordsOf(error) : (later ?? null),
    },
    plan: plan ?? null,
    provisional,
    policies,
    checks,
  }
}

const wordsOf = ({ doing, why, next, code }: ErrorBody): string => `${doing}: ${why}\n${next} (${code})`

/** One outcome, as a test of a report. */
export interface Outcome {
  name: string
  /** Why it is none that is wanted; null where all is well. */
  failure: string | null
  said: string
}

export const outcomesOfPlan = ({ stacks }: PlanReport): Outcome[] =>
  stacks.map((one) => ({
    name: one.stack,
    failure: isRefused(one) ? refusal(one) : null,
    said: one.plan ? summaryText(one.plan) : (one.later ?? ''),
  }))

function refusal({ error, policies, checks }: PlannedStack): string {
  if (error) return wordsOf(error)
  const denied = policies.filter(({ outcome }) => outcome === 'deny' || outcome === 'error')
  const failed = checks.filter(({ ok }) => !ok)
  return [
    ...denied.map(({ name, message }) => `policy ${name}: ${message}`),
    ...failed.map(({ name }) => `check ${name} did not pass`),
  ].join('\n')
}

/** JUnit's XML, as GitLab, Jenkins, Gitea and GitHub's actions read it: a suite of the command, a test of each stack. */
export function junitOf(command: string, outcomes: readonly Outcome[]): string {
  const failures = outcomes.filter(({ failure }) => failure !== null).length
  const cases = outcomes.map(({ name, failure, said }) => {
    const inner =
      failure === null
        ? `<system-out>${xml(said)}</system-out>`
        : `<failure message="${xml(failure.split('\n')[0] ?? '')}">${xml(failure)}</failure>`
    return `    <testcase classname="${xml(command)}" name="${xml(name)}">${inner}</testcase>\n`
  })
  const counts = `tests="${outcomes.length}" failures="${failures}"`
  return `<?xml version="1.0" encoding="UTF-8"?>
<testsuites ${counts}>
  <testsuite name="${xml(command)}" ${counts}>
${cases.join('')}  </testsuite>
</testsuites>
`
}

const ENTITIES: { readonly [character: string]: string } = { '<': '&lt;', '>': '&gt;', '&': '&amp;', '"': '&quot;' }
/** XML 1.0 knows no control characters, not even as references. */
const xml = (text: string): string => visible(text).replace(/[<>&"]/g, (character) => ENTITIES[character] ?? '')

/** What GitLab's page of a merge request counts (`artifacts:reports:terraform`); what is replaced is deleted and created. */
export function gitlabReportOf(plans: readonly Plan[]): string {
  const sum = (count: (plan: Plan) => number): number => plans.reduce((total, plan) => total + count(plan), 0)
  return `${JSON.stringify({
    create: sum(({ summary }) => summary.create + summary.replace),
    update: sum(({ summary }) => summary.update),
    delete: sum(({ summary }) => summary.delete + summary.replace),
  })}\n`
}
