import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { lazy, Suspense } from 'react'
import { api, ApiError, ask, type Schemas } from '../../api/client.ts'
import { runQuery } from '../../api/queries.ts'
import { useSession, useWhyNot } from '../../app/session.tsx'
import { t } from '../../strings/runs.ts'
import { KIND, runLook } from '../../text.ts'
import { Act } from '../../ui/act.tsx'
import { Facts, Hash, linkStyle, PageHead, Panel } from '../../ui/basics.tsx'
import { ErrorNote, Loaded, Waiting } from '../../ui/load.tsx'
import { PlanView } from '../../ui/plan.tsx'
import { State } from '../../ui/status.tsx'
import { Sentence } from '../../ui/sentence.tsx'
import { Summary } from '../../ui/summary.tsx'
import { duration, Time, useNow } from '../../ui/time.tsx'
import { AgainstApproved } from './against-approved.tsx'
import { Applied } from './applied.tsx'
import { Attempts } from './attempts.tsx'
import { CommandResults } from './command-results.tsx'
import { SignedBy } from './signed-by.tsx'
import { Steps } from './steps.tsx'

const Log = lazy(() => import('./log.tsx').then(({ Log: component }) => ({ default: component })))
const route = getRouteApi('/shell/r/$repository/runs/$run')

export function RunPage() {
  const { repository, run } = route.useParams()
  const query = useQuery(runQuery(run))
  return (
    <Loaded page query={query}>
      {(detail) => <RunView key={detail.id} repository={repository} run={detail} />}
    </Loaded>
  )
}

function RunView({ repository, run }: { repository: string; run: Schemas['Run'] }) {
  const now = useNow()
  const ended = run.finishedAt !== null
  return (
    <>
      <PageHead
        name={`${KIND[run.kind]} ${run.stack}`}
        title={
          <>
            {KIND[run.kind]}{' '}
            <Link to="/r/$repository/stacks/$" params={{ repository, _splat: run.stack }} className="hover:underline">
              {run.stack}
            </Link>
          </>
        }
        lead={
          <span className="flex flex-wrap items-center gap-x-3">
            <State look={runLook(run.state)} soft />
            <Summary summary={run.summary} />
            {run.startedAt !== null && <span>{duration((run.finishedAt ?? now) - run.startedAt)}</span>}
            <Time at={run.createdAt} />
          </span>
        }
      >
        <RunActs repository={repository} run={run} />
      </PageHead>
      <div className="flex flex-col gap-3">
        <Attempts repository={repository} run={run} />
        <Steps run={run} now={now} />
        {!ended && run.message && (
          <p role="status" className="rounded border border-hold/40 bg-hold-soft px-3 py-2">
            <span className="font-medium">{t.whyItWaits}</span> <Sentence text={run.message} />
          </p>
        )}
        {run.differences.length > 0 && <Differences differences={run.differences} />}
        {run.error && <ErrorNote error={new ApiError(0, run.error)} />}
        <div className="grid grid-cols-[minmax(0,1fr)_300px] items-start gap-3 max-lg:grid-cols-1">
          <div className="flex min-w-0 flex-col gap-3">
            <AgainstApproved repository={repository} run={run} />
            {run.plan && (
              <Panel title={t.plan} aside={<Summary summary={run.summary} />}>
                <PlanView plan={run.plan} />
              </Panel>
            )}
            <Applied resources={run.resources} />
            {run.checks.length + run.verify.length > 0 && (
              <Panel>
                <CommandResults title={t.checks} results={run.checks} />
                <CommandResults title={t.verification} results={run.verify} />
              </Panel>
            )}
            <Suspense fallback={<Waiting />}>
              <Log run={run.id} ended={ended} failed={run.state === 'failed' || run.state === 'lost'} />
            </Suspense>
          </div>
          <Panel title={t.about}>
            <Facts rows={facts(repository, run)} />
          </Panel>
        </div>
      </div>
    </>
  )
}

function facts(repository: string, run: Schemas['Run']) {
  return [
    ['run', <Hash key="id" value={run.id} length={30} />],
    ['commit', <Hash key="commit" value={run.commit} />],
    ...(run.kind === 'deploy'
      ? ([
          [
            t.signature,
            <SignedBy
              key="signature"
              repository={repository}
              commit={run.commit}
              environment={run.stack.slice(0, run.stack.indexOf('/'))}
            />,
          ],
        ] as const)
      : []),
    ...(run.mr === null
      ? []
      : ([
          [
            t.mergeRequest2,
            <Link
              key="mr"
              to="/r/$repository/mr/$number"
              params={{ repository, number: String(run.mr) }}
              className={linkStyle}
            >
              !{run.mr}
            </Link>,
          ],
        ] as const)),
    ['attempt', run.attempt],
    ...(run.retryOf === null
      ? []
      : ([
          [
            t.retryOf,
            <Link
              key="retry"
              to="/r/$repository/runs/$run"
              params={{ repository, run: run.retryOf }}
              className={linkStyle}
            >
              {t.theAttemptBefore}
            </Link>,
          ],
        ] as const)),
    ['worker', <Hash key="worker" value={run.worker} length={16} />],
    ['plan', <Hash key="plan" value={run.planDigest} length={19} />],
    ...(run.approvedDigest === null
      ? []
      : ([
          [t.approvedPlan, <Hash key="approved" value={run.approvedDigest} length={19} />],
          [t.approvedBy, run.approvedBy ?? t.theApprovalsOfItsMerge],
        ] as const)),
    ...(run.dependsOn.length === 0
      ? []
      : ([
          [
            'after',
            <span key="after" className="flex flex-col">
              {run.dependsOn.map((other) => (
                <Link
                  key={other}
                  to="/r/$repository/runs/$run"
                  params={{ repository, run: other }}
                  className={linkStyle}
                >
                  <code>{other.slice(0, 20)}</code>
                </Link>
              ))}
            </span>,
          ],
        ] as const)),
    ['ended', <Time key="ended" at={run.finishedAt} none={t.notYet} />],
    ...(run.repeats === 0
      ? []
      : ([
          [
            t.theSameAgain,
            <span key="repeats">
              {t.timesLast(run.repeats)}
              <Time at={run.repeatedAt} none="" />
            </span>,
          ],
        ] as const)),
  ] as const
}

/** How the plan that waits differs from the approved one. */
function Differences({ differences }: { differences: readonly string[] }) {
  return (
    <div className="rounded border border-hold/40 bg-hold-soft px-3 py-2">
      <p className="font-medium">{t.thisPlanIsAnotherOne}</p>
      <ul className="list-disc pl-5">
        {differences.map((difference) => (
          <li key={difference} className="wrap-anywhere">
            {difference}
          </li>
        ))}
      </ul>
    </div>
  )
}

function RunActs({ repository, run }: { repository: string; run: Schemas['Run'] }) {
  const whyNot = useWhyNot(repository)
  const { user } = useSession()
  const params = { path: { run: run.id } }
  const ended = run.finishedAt !== null
  return (
    <>
      {run.state === 'awaiting_approval' && (
        <Act
          label={t.approve}
          title={t.letThisRunGoOn}
          lead={<Summary summary={run.summary} />}
          command={`trueup run approve ${run.id}`}
          run={(reason) =>
            ask(
              api.POST('/api/v1/runs/{run}/approve', {
                params,
                body: { digest: run.planDigest!, ...(reason && { reason }) },
              }),
            )
          }
          done={t.approvedItGoesOn}
          variant="primary"
          whyNot={whyNot('run.approve') ?? (run.planDigest === null ? t.itHasNoPlanYet2 : null)}
          {...(user.kind === 'admin' && {
            reason: { label: t.reasonWhereYouMayNot, optional: true },
          })}
        />
      )}
      {!ended && (
        <Act
          label={t.cancel}
          title={t.askThisRunToEnd}
          lead={t.theToolGetsTheTime}
          command={`trueup run cancel ${run.id}`}
          run={(reason) => ask(api.POST('/api/v1/runs/{run}/cancel', { params, body: reason ? { reason } : {} }))}
          done={t.itIsAskedToEnd}
          variant="danger"
          reason={{ label: t.whyIfYouLike, optional: true }}
          whyNot={whyNot('run.cancel') ?? (run.cancelRequestedAt === null ? null : t.itIsAskedToEnd2)}
        />
      )}
      {ended && run.state !== 'succeeded' && (
        <Act
          label={t.retry}
          title={t.doItAgainWithA}
          command={`trueup run retry ${run.id}`}
          run={() => ask(api.POST('/api/v1/runs/{run}/retry', { params }))}
          done={t.triedAgainTheNewRun}
          whyNot={whyNot('run.retry')}
        />
      )}
    </>
  )
}
