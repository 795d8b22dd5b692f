import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { ChevronRight } from 'lucide-react'
import { useState } from 'react'
import type { Schemas } from '../../api/client.ts'
import { runQuery } from '../../api/queries.ts'
import { useKey } from '../../app/keys.ts'
import { t } from '../../strings/merge-requests.ts'
import { HOW, runLook } from '../../text.ts'
import { Empty } from '../../ui/basics.tsx'
import { ErrorNote, Loaded } from '../../ui/load.tsx'
import { PlanView } from '../../ui/plan.tsx'
import { Mark } from '../../ui/status.tsx'
import { Summary } from '../../ui/summary.tsx'
import { ApiError } from '../../api/client.ts'
import { ByChange } from './by-change.tsx'
import { PlanAge } from './plan-age.tsx'
import { SinceLastPush } from './last-push.tsx'
import { CommandResults } from '../run/command-results.tsx'

type Affected = Schemas['MergeRequest']['stacks'][number]
const route = getRouteApi('/shell/r/$repository/mr/$number')
/** So many plans are open at once; a merge request of 200 stacks shows their headlines. */
const OPEN_AT_FIRST = 4

export function Plans({ repository, mr }: { repository: string; mr: Schemas['MergeRequest'] }) {
  const { stack: named, by } = route.useSearch()
  useKey('f', () => {
    const failed = [...document.querySelectorAll<HTMLElement>('main [data-failed]')]
    failed[(failed.indexOf(document.activeElement as HTMLElement) + 1) % failed.length]?.focus()
  })
  if (mr.stacks.length === 0)
    return (
      <Empty title={mr.planned ? t.noStackIsAffected : t.findingTheAffectedStacks}>
        {mr.planned ? t.itChangesNothingThatA : t.thisTakesAMoment}
      </Empty>
    )
  const ordered = [...mr.stacks].sort((a, b) => need(a) - need(b) || a.stack.localeCompare(b.stack))
  return (
    <>
      {mr.stacks.length > 1 && <ViewChoice byChange={by === 'change'} />}
      {by === 'change' ? (
        <ByChange mr={mr} />
      ) : (
        <ul className="flex flex-col gap-2" aria-label={t.plansByStack}>
          {ordered.map((stack, at) => (
            <StackPlan
              key={stack.stack}
              repository={repository}
              mr={mr.number}
              mayBeApproved={mr.state === 'open'}
              stack={stack}
              open={named === undefined ? at < OPEN_AT_FIRST && mr.stacks.length <= 12 : named === stack.stack}
            />
          ))}
        </ul>
      )}
    </>
  )
}

/** By stack, or one diff over all of them. */
function ViewChoice({ byChange }: { byChange: boolean }) {
  const params = route.useParams()
  const choices = [
    [false, t.byStack],
    [true, t.byChange],
  ] as const
  return (
    <div role="group" aria-label={t.viewOfThePlans} className="flex gap-1 pb-2">
      {choices.map(([choice, label]) => (
        <Link
          key={label}
          from="/r/$repository/mr/$number"
          to="/r/$repository/mr/$number"
          params={params}
          search={(before) => ({ ...before, by: choice ? ('change' as const) : undefined })}
          replace
          aria-current={choice === byChange ? 'true' : undefined}
          className={`rounded px-2 py-0.5 ${choice === byChange ? 'bg-accent-soft font-medium text-accent' : 'text-muted hover:bg-hover'}`}
        >
          {label}
        </Link>
      ))}
    </div>
  )
}

/** Failures first, then what destroys, then the rest. */
function need({ state, summary, policies }: Affected): number {
  if (state === 'failed' || policies.some(({ outcome }) => outcome === 'deny')) return 0
  if (summary && summary.delete + summary.replace > 0) return 1
  return 2
}

function StackPlan({
  repository,
  mr,
  mayBeApproved,
  stack,
  open: initially,
}: {
  repository: string
  mr: number
  mayBeApproved: boolean
  stack: Affected
  open: boolean
}) {
  const [open, setOpen] = useState(initially)
  const failed = stack.state === 'failed' || stack.state === 'lost'
  const done = stack.state === 'succeeded'
  return (
    <li className="overflow-hidden rounded-lg border border-line bg-panel" id={`plan-${stack.stack}`}>
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1 px-3 py-1.5">
        <button
          type="button"
          data-row=""
          {...(failed && { 'data-failed': '' })}
          aria-expanded={open}
          onClick={() => setOpen(!open)}
          className="flex min-w-0 items-center gap-2 text-left"
        >
          <ChevronRight size={14} aria-hidden className={`shrink-0 text-muted ${open ? 'rotate-90' : ''}`} />
          {stack.state && <Mark look={runLook(stack.state)} label />}
          <span className="font-semibold wrap-anywhere">{stack.stack}</span>
        </button>
        <span className="text-sm text-muted">
          {stack.driver} · {HOW[stack.how]}
        </span>
        {stack.provisional && (
          <span className="rounded-sm bg-hold-soft px-1.5 text-sm text-hold" title={t.plannedWithPredictedOutputsOf}>
            {t.provisional}
          </span>
        )}
        <span className="ml-auto flex items-center gap-3">
          {done ? (
            <Summary summary={stack.summary} />
          ) : (
            stack.state && <span className="text-muted">{runLook(stack.state).label}</span>
          )}
          {stack.run && (
            <Link
              to="/r/$repository/runs/$run"
              params={{ repository, run: stack.run }}
              className="text-accent hover:underline"
            >
              {t.run}
            </Link>
          )}
        </span>
      </div>
      {stack.note && <p className="border-t border-line px-3 py-1.5 text-muted wrap-anywhere">{stack.note}</p>}
      {stack.policies.length > 0 && <Policies policies={stack.policies} />}
      {open && stack.run && (
        <div className="border-t border-line p-3">
          <RunPlan repository={repository} mr={mr} run={stack.run} open={mayBeApproved} />
        </div>
      )}
    </li>
  )
}

const OUTCOME: Record<string, string> = {
  deny: 'bg-bad-soft text-bad',
  'require-approval': 'bg-hold-soft text-hold',
  warn: 'bg-warn-soft text-warn',
}

function Policies({ policies }: { policies: Affected['policies'] }) {
  return (
    <ul className="flex flex-col gap-1 border-t border-line px-3 py-1.5">
      {policies.map(({ name, outcome, message }) => (
        <li key={name} className="flex flex-wrap items-baseline gap-2">
          <span className={`rounded-sm px-1.5 text-sm font-medium ${OUTCOME[outcome] ?? 'bg-idle-soft text-idle'}`}>
            {outcome}
          </span>
          <span className="font-medium">{name}</span>
          <span className="text-muted wrap-anywhere">{message}</span>
        </li>
      ))}
    </ul>
  )
}

function RunPlan({
  repository,
  mr,
  run,
  open,
}: {
  repository: string
  mr: number
  run: string
  /** The merge request still is. */
  open: boolean
}) {
  const query = useQuery(runQuery(run))
  return (
    <Loaded query={query} lines={3}>
      {(detail) => (
        <div className="flex flex-col gap-3">
          {detail.error && <ErrorNote error={new ApiError(0, detail.error)} />}
          {detail.plan ? (
            <>
              <PlanAge repository={repository} run={detail} open={open} />
              <SinceLastPush repository={repository} mr={mr} run={detail} />
              <PlanView plan={detail.plan} />
            </>
          ) : (
            !detail.error && <p className="text-muted">{detail.message ?? t.thePlanIsBeingMade}</p>
          )}
          <CommandResults title={t.checks} results={detail.checks} />
        </div>
      )}
    </Loaded>
  )
}
