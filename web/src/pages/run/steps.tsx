import type { Schemas } from '../../api/client.ts'
import { t } from '../../strings/runs.ts'
import { runLook, type Look } from '../../text.ts'
import { Mark } from '../../ui/status.tsx'
import { duration } from '../../ui/time.tsx'

const DONE: Look = { label: 'done', tone: 'ok', shape: 'check', meaning: '' }
const AHEAD: Look = { label: t.notYet, tone: 'idle', shape: 'dotted', meaning: '' }

const APPLIES = ['queued', 'preparing', 'planning', 'awaiting_approval', 'applying', 'verifying'] as const
const PLANS = ['queued', 'preparing', 'planning'] as const
const NAMES = {
  queued: t.queue,
  preparing: t.prepare,
  planning: t.plan,
  awaiting_approval: t.compareWithTheApprovedPlan,
  applying: t.apply,
  verifying: t.verify,
} as const

/** Where a run is on its way. How long it waited and ran is known; the server keeps no time of each step. */
export function Steps({ run, now }: { run: Schemas['Run']; now: number }) {
  const steps = run.kind === 'preview' || run.kind === 'drift' ? PLANS : APPLIES
  const state = run.state === 'leased' ? 'preparing' : run.state
  const at = (steps as readonly string[]).indexOf(state)
  const ended = run.finishedAt !== null
  const reached = ended ? (run.state === 'succeeded' ? steps.length : lastReached(run, steps)) : at
  return (
    <ol
      aria-label={t.steps}
      className="flex flex-wrap items-center gap-y-1 rounded-lg border border-line bg-panel px-3 py-1.5"
    >
      {steps.map((step, index) => (
        <li
          key={step}
          aria-current={index === reached && !ended ? 'step' : undefined}
          className="flex items-center gap-1.5"
        >
          {index > 0 && <span aria-hidden className="mx-2 h-px w-4 bg-strong-line" />}
          <Mark label look={index < reached ? DONE : index === reached ? runLook(run.state) : AHEAD} />
          <span className={index > reached ? 'text-muted' : 'font-medium'}>{NAMES[step]}</span>
          {step === 'queued' && (
            <span className="text-sm text-muted">
              {duration((run.startedAt ?? run.finishedAt ?? now) - run.createdAt)}
            </span>
          )}
        </li>
      ))}
      {run.startedAt !== null && (
        <li className="ml-auto text-muted">{t.ofWork(duration((run.finishedAt ?? now) - run.startedAt))}</li>
      )}
    </ol>
  )
}

/** How far a run came that ended otherwise: what it has to show says so. */
function lastReached(run: Schemas['Run'], steps: readonly string[]): number {
  const furthest =
    run.verify.length > 0
      ? 'verifying'
      : run.resources.length > 0
        ? 'applying'
        : run.startedAt === null
          ? 'queued'
          : 'planning'
  return Math.max(0, steps.indexOf(furthest))
}
