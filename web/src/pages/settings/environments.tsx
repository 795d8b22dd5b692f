import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api, ask, type Schemas } from '../../api/client.ts'
import { environmentsQuery } from '../../api/queries.ts'
import { useWhyNot } from '../../app/session.tsx'
import { t } from '../../strings/settings.ts'
import { Act } from '../../ui/act.tsx'
import { Empty, Facts, Panel, TextField } from '../../ui/basics.tsx'
import { Loaded } from '../../ui/load.tsx'
import { duration, Time } from '../../ui/time.tsx'
import { PostNotice, StandingNotices } from './environment-notice.tsx'

/** The rules as the default branch says them, and the freezes and notices, which are all that is set here. */
export function Environments({ repository: { name: repository } }: { repository: Schemas['Repository'] }) {
  const query = useQuery(environmentsQuery(repository))
  return (
    <Loaded query={query}>
      {(environments) => (
        <div className="grid grid-cols-[repeat(auto-fill,minmax(340px,1fr))] gap-3">
          {environments.map((environment) => (
            <EnvironmentPanel key={environment.name} repository={repository} environment={environment} />
          ))}
          {environments.length === 0 && (
            <Panel>
              <Empty title={t.noEnvironmentsYet}>{t.theyAreWrittenInTrueup}</Empty>
            </Panel>
          )}
        </div>
      )}
    </Loaded>
  )
}

function EnvironmentPanel({ repository, environment }: { repository: string; environment: Schemas['Environment'] }) {
  const whyNot = useWhyNot(repository)('environment.freeze')
  const [until, setUntil] = useState('')
  const { name, approvals, drift, deployments } = environment
  const standing = environment.freezes.filter(({ liftedAt }) => liftedAt === null)
  return (
    <Panel
      title={name}
      aside={
        <>
          <PostNotice repository={repository} environment={name} />
          <Act
            label={t.freeze}
            title={t.stopDeploymentsAndHealsTo(name)}
            command={`trueup env freeze ${name} --reason REASON --repo ${repository}`}
            run={(reason) =>
              ask(
                api.POST('/api/v1/repositories/{repository}/environments/{environment}/freezes', {
                  params: { path: { repository, environment: name } },
                  body: { reason, until: until ? new Date(until).getTime() : null },
                }),
              )
            }
            done={t.isFrozen(name)}
            reason={{ label: t.whyEverybodySeesIt }}
            whyNot={whyNot}
          >
            <TextField
              label={t.until}
              hint={t.emptyUntilSomeoneLiftsIt}
              type="datetime-local"
              value={until}
              set={setUntil}
            />
          </Act>
        </>
      }
    >
      <Facts
        rows={[
          ['tier', `${environment.tier}${environment.protected ? t.protected : ''}`],
          [
            'approvals',
            `${approvals.required}${approvals.from.length > 0 ? t.fromFrom(approvals.from.join(', ')) : ''}${approvals.codeOwners ? t.andCodeOwners : ''}`,
          ],
          ['drift', t.checkedEvery(drift.mode, duration(drift.intervalMs))],
          [t.onFailure, environment.onFailure],
          [t.aPartThatCannotBe, environment.unplannable === 'block' ? t.blocksTheApproval : t.mayBeApprovedAlong],
          ['workers', environment.workers],
          [
            'deployments',
            deployments.open ? (
              'open'
            ) : (
              <span key="closed" className="text-warn">
                {deployments.reason}
              </span>
            ),
          ],
        ]}
      />
      <StandingNotices repository={repository} notices={environment.notices} />
      {standing.map((freeze) => (
        <div key={freeze.id} className="mt-2 flex items-center gap-2 rounded bg-warn-soft px-2 py-1">
          <span className="wrap-anywhere">
            {t.frozenBy(freeze.by, freeze.reason)}
            <span className="text-muted">
              <Time at={freeze.createdAt} />
            </span>
          </span>
          <span className="ml-auto">
            <Act
              label={t.lift}
              title={t.liftTheFreezeOf(name)}
              lead={t.whatItHeldBackGoes}
              command={`trueup env unfreeze ${name} --repo ${repository}`}
              run={() =>
                ask(
                  api.DELETE('/api/v1/repositories/{repository}/environments/{environment}/freezes/{freeze}', {
                    params: { path: { repository, environment: name, freeze: freeze.id } },
                  }),
                )
              }
              done={t.lifted}
              whyNot={whyNot}
            />
          </span>
        </div>
      ))}
    </Panel>
  )
}
