import { useInfiniteQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { api, ask, type Schemas } from '../../api/client.ts'
import { runsQuery } from '../../api/queries.ts'
import { useWhyNot } from '../../app/session.tsx'
import { t } from '../../strings/merge-requests.ts'
import { KIND, runLook } from '../../text.ts'
import { Act } from '../../ui/act.tsx'
import { Facts, Hash, Panel } from '../../ui/basics.tsx'
import { Waiting } from '../../ui/load.tsx'
import { Mark } from '../../ui/status.tsx'
import { Time } from '../../ui/time.tsx'
import { Reviews } from './gate.tsx'
import { Revert } from './revert.tsx'

/** After the merge: what became of it. */
export function Aftermath({ repository, mr }: { repository: string; mr: Schemas['MergeRequest'] }) {
  const whyNot = useWhyNot(repository)
  if (mr.state === 'closed')
    return (
      <>
        <Panel title={t.closedWithoutMerging}>
          <Act
            label={t.reopen}
            title={t.reopenNumber(mr.number)}
            command={`trueup mr reopen ${mr.number} --repo ${repository}`}
            run={() =>
              ask(
                api.POST('/api/v1/repositories/{repository}/merge-requests/{number}/reopen', {
                  params: { path: { repository, number: mr.number } },
                }),
              )
            }
            done={t.isOpenAgain(mr.number)}
            whyNot={whyNot('mr.update')}
          />
        </Panel>
        <Reviews reviews={mr.reviews} />
      </>
    )
  return (
    <>
      <Panel title={t.merged}>
        <Facts
          rows={[
            ['by', mr.mergedBy ?? t.trueup],
            ['when', <Time key="at" at={mr.mergedAt} />],
            ['commit', <Hash key="commit" value={mr.mergeCommit} />],
            ...(mr.bypassReason
              ? ([
                  [
                    t.pastTheGate,
                    <span key="why" className="text-bad">
                      {mr.bypassReason}
                    </span>,
                  ],
                ] as const)
              : []),
          ]}
        />
      </Panel>
      <Deployments repository={repository} mr={mr} />
      <Reviews reviews={mr.reviews} />
    </>
  )
}

function Deployments({ repository, mr }: { repository: string; mr: Schemas['MergeRequest'] }) {
  const query = useInfiniteQuery(runsQuery(repository, { mr: mr.number }))
  const runs = (query.data?.pages.flatMap(({ items }) => items) ?? []).filter(
    ({ kind }) => kind === 'deploy' || kind === 'destroy',
  )
  return (
    <Panel title={t.whatBecameOfIt} flush>
      {!query.data ? (
        <Waiting lines={2} />
      ) : (
        <ul className="divide-y divide-line">
          {runs.map((run) => (
            <li key={run.id} className="flex items-center gap-2 px-3 py-1.5">
              <Mark look={runLook(run.state)} label />
              <Link
                to="/r/$repository/runs/$run"
                params={{ repository, run: run.id }}
                className="min-w-0 truncate hover:underline"
              >
                {KIND[run.kind]} {run.stack}
              </Link>
              <span className="ml-auto text-sm text-muted">{runLook(run.state).label}</span>
            </li>
          ))}
          {runs.length === 0 && (
            <li className="px-3 py-2 text-muted">
              {mr.enacted ? t.nothingHadToBeDeployed : t.itsDeploymentsAreBeingOrdered}
            </li>
          )}
        </ul>
      )}
      <Revert repository={repository} mr={mr} />
    </Panel>
  )
}
