import { furtherProblems } from '../domain/config/problems.ts'
import { summaryText } from '../domain/plans/summary.ts'
import { describeState } from '../domain/runs/run.ts'
import type { MrDetail } from '../server/schemas/merge-requests.ts'
import { shortDigest } from './approval.ts'
import { fields, type Layout } from './output.ts'
import { quarantineLine } from './quarantine-text.ts'
import { when } from './times.ts'

type AffectedStack = MrDetail['stacks'][number]

/** The whole MR for a terminal: head, stacks, what went wrong, and what is missing. */
export function describeMr(detail: MrDetail, layout: Layout, red: (text: string) => string): string {
  const stacks = layout.table(
    ['stack', 'how', 'policies', 'plan', 'digest'],
    detail.stacks.map((stack) => [
      stack.stack,
      stack.how,
      stack.policies
        .filter((policy) => policy.outcome !== 'pass')
        .map((policy) => `${policy.name}: ${policy.outcome}`)
        .join(', ') || '-',
      planCell(stack),
      stack.digest === null ? '-' : shortDigest(stack.digest),
    ]),
  )
  return [
    headOf(detail, red),
    stacks,
    ...failures(detail, layout),
    detail.quarantine.map((entry) => layout.wrap(quarantineLine(entry))).join('\n'),
    reviewsText(detail, layout),
    gateText(detail, layout),
  ]
    .filter((part) => part !== '')
    .join('\n\n')
}

function headOf(detail: MrDetail, red: (text: string) => string): string {
  const rows: [string, string][] = [
    [`!${detail.number}`, `${detail.title}${detail.draft ? ' (draft)' : ''}`],
    ['state', detail.state],
    ['author', detail.author],
    ['branches', `${detail.sourceBranch} → ${detail.targetBranch}`],
    ['head', detail.head.slice(0, 10)],
  ]
  const named = detail.makers.filter(({ how }) => how === 'named').map(({ user }) => user)
  const pushed = detail.makers.filter(({ how }) => how === 'pushed').map(({ user }) => user)
  if (pushed.length > 0) rows.push(['pushed by', pushed.join(', ')])
  if (named.length > 0) rows.push(['names', `${named.join(', ')} (in commits; \`trueup mr lift\` lets them vote)`])
  if (detail.origin !== null) rows.push(['made by', `Trueup (${detail.origin})`])
  if (detail.mergedAt !== null)
    rows.push([
      'merged',
      `${when(detail.mergedAt)} by ${detail.mergedBy ?? '-'} as ${detail.mergeCommit?.slice(0, 10)}`,
    ])
  if (detail.bypassReason === null) return fields(rows)
  const bypass = fields([['BYPASSED', `${detail.mergedBy ?? '-'} merged it past its gate: ${detail.bypassReason}`]])
  return `${fields(rows)}\n${red(bypass)}`
}

function planCell(stack: AffectedStack): string {
  if (stack.summary) return `${summaryText({ summary: stack.summary })}${stack.provisional ? ' (provisional)' : ''}`
  if (stack.state === null) return stack.note ?? '-'
  const waits = stack.state === 'queued' && stack.note !== null ? `: ${stack.note}` : ''
  return `${describeState(stack.state)}${waits}`
}

/** What went wrong in words that are too long for a table: a paragraph for each stack. */
function failures(detail: MrDetail, { wrap }: Layout): string[] {
  return detail.stacks
    .filter(({ state, note }) => state === 'failed' && note !== null)
    .map(({ stack, note, run }) =>
      [`${stack} could not be planned:`, wrap(note ?? '', '  '), wrap(`trueup run logs ${run}`, '  ')].join('\n'),
    )
}

/** The reviews that count now, with what each says. */
function reviewsText({ reviews }: MrDetail, { wrap }: Layout): string {
  return reviews
    .filter(({ droppedAt }) => droppedAt === null)
    .map(({ user, verdict, body }) => {
      const said = verdict === 'approve' ? 'approves' : 'asks for changes'
      return wrap(`${user} ${said}${body === '' ? '' : `: ${body}`}`)
    })
    .join('\n')
}

/** What is missing for a merge, with the next action of each. */
export function gateText(detail: MrDetail, { wrap }: Layout): string {
  const warnings = detail.requirements.filter((entry) => !entry.blocking && !entry.satisfied)
  if (detail.problems.length > 0)
    return [
      ...detail.problems.map(({ doing, why, next, details }) =>
        [
          wrap(`${doing}: ${why}`),
          wrap(next, '  '),
          ...furtherProblems(details).map((problem) => wrap(problem, '  ')),
        ].join('\n'),
      ),
      // Whose file it is: where the target branch itself is broken, the merge request has inherited that.
      ...warnings.filter(({ name }) => name === 'config').map(({ message }) => wrap(`Note: ${message}`)),
    ].join('\n')
  if (detail.state !== 'open') return ''
  const unmet = detail.requirements.filter((entry) => entry.blocking && !entry.satisfied)
  const failed = new Set(
    detail.stacks.filter(({ state }) => state === 'failed').map(({ stack }) => stack.split('/')[0]),
  )
  const lines = (entries: MrDetail['requirements']): string[] =>
    entries.map(({ name, environment, message, next }) => {
      const place = environment === null ? '' : `${environment}: `
      // Their errors stand above in full.
      const told = name === 'plans' && environment !== null && failed.has(environment)
      const text = told ? `${place}plans, see above` : `${place}${message}`
      return [wrap(text, '  '), ...(next === null ? [] : [wrap(next, '    ')])].join('\n')
    })
  return [
    ...(detail.mergeable ? [readyText(detail)] : ['Missing:', ...lines(unmet)]),
    ...(warnings.length > 0 ? ['Note:', ...lines(warnings)] : []),
  ].join('\n')
}

const readyText = ({ origin }: MrDetail): string =>
  origin === 'rollback' ? 'Nothing is missing: it is merged by itself now.' : 'Ready to merge.'

/** Whether all plans were made that the gate asks for; of one that is merged or closed nobody asks that. */
export const isPlanned = ({ state, requirements }: Pick<MrDetail, 'state' | 'requirements'>): boolean =>
  state !== 'open' ||
  requirements.every(
    ({ name, blocking, satisfied }) => satisfied || !blocking || !['plans', 'config', 'conflicts'].includes(name),
  )

export function planProgress(detail: MrDetail): string {
  const done = detail.stacks.filter((stack) => stack.state === 'succeeded' || stack.state === 'failed').length
  return `planning !${detail.number}: ${done} of ${detail.stacks.length} stacks`
}

/** Files as `diff -u` shows them. */
export const diffText = (
  files: readonly { path: string; oldPath: string | null; binary: boolean; hunks: string }[],
): string =>
  files.map((file) => `--- ${file.oldPath}\n+++ ${file.path}\n${file.binary ? '(binary)' : file.hunks}`).join('\n\n')
