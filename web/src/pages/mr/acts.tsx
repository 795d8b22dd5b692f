import { useState } from 'react'
import { api, ask, type Schemas } from '../../api/client.ts'
import { useSession, useWhyNot } from '../../app/session.tsx'
import { t } from '../../strings/merge-requests.ts'
import { Act } from '../../ui/act.tsx'
import { Panel } from '../../ui/basics.tsx'
import type { Seen } from './bound.ts'

/** What can be done now; what cannot says why. */
export function MrActs({
  repository,
  mr,
  seen,
  changes,
}: {
  repository: string
  mr: Schemas['MergeRequest']
  seen: Seen
  changes: readonly string[]
}) {
  const whyNot = useWhyNot(repository)
  const { user } = useSession()
  const [squash, setSquash] = useState(false)
  const [bypass, setBypass] = useState(false)
  const path = { params: { path: { repository, number: mr.number } } }
  const repo = `--repo ${repository}`
  const mine = mr.reviews.find(
    (review) => review.user === user.name && review.droppedAt === null && review.verdict !== 'comment',
  )
  const review = (verdict: 'approve' | 'request_changes') => (body: string) =>
    ask(
      api.POST('/api/v1/repositories/{repository}/merge-requests/{number}/reviews', {
        ...path,
        body: { verdict, body, head: seen.head, digests: seen.digests },
      }),
    )
  const whyNotApprove =
    whyNot('mr.approve') ??
    (mr.author === user.name ? t.nobodyApprovesTheirOwnChange : null) ??
    (changes.length > 0 ? t.itChangedWhileYouWere : null) ??
    (mr.planned ? null : t.itsPlansAreStillBeing)
  const unmet = mr.requirements.filter(({ satisfied, blocking }) => blocking && !satisfied)
  const mayBypass = whyNot('mr.bypass') === null
  const whyNotMerge =
    whyNot('mr.merge') ??
    (mr.mergeable ? null : (unmet[0]?.message ?? (mr.planned ? t.theGateIsClosed : t.itsPlansAreStillBeing)))
  return (
    <Panel>
      <div className="flex flex-wrap gap-2">
        <div className="flex flex-wrap gap-2">
          <Act
            label={t.approve}
            title={t.approveExactlyThesePlans}
            lead={t.ofOtherPlansThanThese(
              Object.keys(seen.digests).length,
              Object.keys(seen.digests).length === 1 ? t.plan : t.plans,
              seen.head.slice(0, 10),
            )}
            command={`trueup mr approve ${mr.number} ${repo}`}
            run={review('approve')}
            done={t.youApproved(mr.number)}
            reason={{ label: t.aWordToItIf, optional: true }}
            variant={mr.mergeable ? 'plain' : 'primary'}
            whyNot={whyNotApprove}
          />
          <Act
            label={t.requestChanges}
            title={t.askForChanges}
            lead={t.itDoesNotMergeUntil}
            command={`trueup mr request-changes ${mr.number} ${repo}`}
            run={review('request_changes')}
            done={t.youAskedForChanges}
            reason={{ label: t.whatShouldBeDifferent }}
            whyNot={whyNot('mr.review') ?? (mr.author === user.name ? t.itIsYourOwnChange : null)}
          />
          {mine && (
            <Act
              label={t.takeBack}
              title={t.takeYourBack(mine.verdict === 'approve' ? t.approval : t.request)}
              command={`trueup mr withdraw ${mr.number} ${repo}`}
              run={() =>
                ask(api.DELETE('/api/v1/repositories/{repository}/merge-requests/{number}/reviews/mine', path))
              }
              done={t.takenBack}
              variant="quiet"
            />
          )}
        </div>
        <div className="flex flex-wrap gap-2">
          <Act
            label={t.merge}
            title={t.mergeInto(mr.number, mr.targetBranch)}
            lead={t.theApprovedPlansAreThen}
            command={`trueup mr merge ${mr.number}${squash ? ' --squash' : ''} ${repo}`}
            run={() =>
              ask(
                api.POST('/api/v1/repositories/{repository}/merge-requests/{number}/merge', {
                  params: { path: { repository, number: mr.number } },
                  body: { squash },
                }),
              )
            }
            done={t.isMerged(mr.number)}
            variant={mr.mergeable ? 'primary' : 'plain'}
            whyNot={whyNotMerge}
          >
            <label className="flex items-center gap-2">
              <input type="checkbox" checked={squash} onChange={(event) => setSquash(event.target.checked)} />
              {t.asOneCommit}
            </label>
          </Act>
          <Act
            label={t.planAgain}
            title={t.lookAtThePlansAgain}
            lead={t.plansThatFailedAreMade}
            command={`trueup mr plan ${mr.number} ${repo}`}
            run={() => ask(api.POST('/api/v1/repositories/{repository}/merge-requests/{number}/plan', path))}
            done={t.planningAgain}
            variant="quiet"
            whyNot={whyNot('mr.plan')}
          />
          <Act
            label={t.close}
            title={t.closeWithoutMerging(mr.number)}
            command={`trueup mr close ${mr.number} ${repo}`}
            run={() => ask(api.POST('/api/v1/repositories/{repository}/merge-requests/{number}/close', path))}
            done={t.isClosed(mr.number)}
            variant="quiet"
            whyNot={whyNot('mr.update')}
          />
        </div>
        {mayBypass && !mr.mergeable && unmet.length > 0 && (
          <details className="basis-full" onToggle={(event) => setBypass(event.currentTarget.open)}>
            <summary className="text-sm text-muted">{t.inAnEmergency}</summary>
            {bypass && (
              <div className="pt-2">
                <Act
                  label={t.mergePastTheGate}
                  title={t.mergeAlthoughTheGateIs}
                  lead={t.itIsRecordedWithYour}
                  command={`trueup mr merge ${mr.number} --bypass REASON ${repo}`}
                  run={(reason) =>
                    ask(
                      api.POST('/api/v1/repositories/{repository}/merge-requests/{number}/merge', {
                        params: { path: { repository, number: mr.number }, query: { bypass: '' } },
                        body: { squash: false, bypassReason: reason },
                      }),
                    )
                  }
                  done={t.mergedPastTheGate}
                  reason={{ label: t.whyItCannotWait }}
                  variant="danger"
                />
              </div>
            )}
          </details>
        )}
      </div>
    </Panel>
  )
}
