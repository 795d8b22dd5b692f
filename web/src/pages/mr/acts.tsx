import { useState } from 'react'
import { api, ask, type Schemas } from '../../api/client.ts'
import { useSession, useWhyNot } from '../../app/session.tsx'
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
    (mr.author === user.name ? 'Nobody approves their own change' : null) ??
    (changes.length > 0 ? 'It changed while you were looking: look at what is there now first' : null) ??
    (mr.planned ? null : 'Its plans are still being made')
  const unmet = mr.requirements.filter(({ satisfied, blocking }) => blocking && !satisfied)
  const mayBypass = whyNot('mr.bypass') === null
  const whyNotMerge =
    whyNot('mr.merge') ??
    (mr.mergeable
      ? null
      : (unmet[0]?.message ?? (mr.planned ? 'The gate is closed' : 'Its plans are still being made')))
  return (
    <Panel>
      <div className="flex flex-wrap gap-2">
        <div className="flex flex-wrap gap-2">
          <Act
            label="Approve"
            title="Approve exactly these plans"
            lead={`${Object.keys(seen.digests).length} ${Object.keys(seen.digests).length === 1 ? 'plan' : 'plans'} of ${seen.head.slice(0, 10)}. Other plans than these will not be applied without another approval.`}
            command={`trueup mr approve ${mr.number} ${repo}`}
            run={review('approve')}
            done={`You approved !${mr.number}`}
            reason={{ label: 'A word to it, if you like', optional: true }}
            variant={mr.mergeable ? 'plain' : 'primary'}
            whyNot={whyNotApprove}
          />
          <Act
            label="Request changes"
            title="Ask for changes"
            lead="It does not merge until you take this back."
            command={`trueup mr request-changes ${mr.number} ${repo}`}
            run={review('request_changes')}
            done="You asked for changes"
            reason={{ label: 'What should be different' }}
            whyNot={whyNot('mr.review') ?? (mr.author === user.name ? 'It is your own change' : null)}
          />
          {mine && (
            <Act
              label="Take back"
              title={`Take your ${mine.verdict === 'approve' ? 'approval' : 'request'} back`}
              command={`trueup mr withdraw ${mr.number} ${repo}`}
              run={() =>
                ask(api.DELETE('/api/v1/repositories/{repository}/merge-requests/{number}/reviews/mine', path))
              }
              done="Taken back"
              variant="quiet"
            />
          )}
        </div>
        <div className="flex flex-wrap gap-2">
          <Act
            label="Merge"
            title={`Merge !${mr.number} into ${mr.targetBranch}`}
            lead="The approved plans are then applied, in the order of dependencies."
            command={`trueup mr merge ${mr.number}${squash ? ' --squash' : ''} ${repo}`}
            run={() =>
              ask(
                api.POST('/api/v1/repositories/{repository}/merge-requests/{number}/merge', {
                  params: { path: { repository, number: mr.number } },
                  body: { squash },
                }),
              )
            }
            done={`!${mr.number} is merged`}
            variant={mr.mergeable ? 'primary' : 'plain'}
            whyNot={whyNotMerge}
          >
            <label className="flex items-center gap-2">
              <input type="checkbox" checked={squash} onChange={(event) => setSquash(event.target.checked)} />
              As one commit
            </label>
          </Act>
          <Act
            label="Plan again"
            title="Look at the plans again"
            lead="Plans that failed are made anew; the others are kept where nothing changed."
            command={`trueup mr plan ${mr.number} ${repo}`}
            run={() => ask(api.POST('/api/v1/repositories/{repository}/merge-requests/{number}/plan', path))}
            done="Planning again"
            variant="quiet"
            whyNot={whyNot('mr.plan')}
          />
          <Act
            label="Close"
            title={`Close !${mr.number} without merging`}
            command={`trueup mr close ${mr.number} ${repo}`}
            run={() => ask(api.POST('/api/v1/repositories/{repository}/merge-requests/{number}/close', path))}
            done={`!${mr.number} is closed`}
            variant="quiet"
            whyNot={whyNot('mr.update')}
          />
        </div>
        {mayBypass && !mr.mergeable && unmet.length > 0 && (
          <details className="basis-full" onToggle={(event) => setBypass(event.currentTarget.open)}>
            <summary className="text-sm text-muted">In an emergency</summary>
            {bypass && (
              <div className="pt-2">
                <Act
                  label="Merge past the gate"
                  title="Merge although the gate is closed"
                  lead="It is recorded with your name and reason, and shown in red from then on."
                  command={`trueup mr merge ${mr.number} --bypass REASON ${repo}`}
                  run={(reason) =>
                    ask(
                      api.POST('/api/v1/repositories/{repository}/merge-requests/{number}/merge', {
                        params: { path: { repository, number: mr.number }, query: { bypass: '' } },
                        body: { squash: false, bypassReason: reason },
                      }),
                    )
                  }
                  done="Merged past the gate"
                  reason={{ label: 'Why it cannot wait' }}
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
